"""What can go wrong on a request, as one tree; each class bears the HTTP status that it becomes.

AppError 500
├── InvalidInput 422     fields whose values cannot be used
├── NotFound 404
├── Conflict 409         the thing is in a state that forbids it
├── Unauthorised 401     no token, or one that is not in force
├── Forbidden 403        the token's scope is too small, or another site asks
├── Misdirected 421      the Host is none of this server's names
├── TooManyRequests 429
└── Unavailable 503      database, broker or worker does not answer

LeaseLost, NoSpace and Damaged are no answers to a request: they end, or turn, what a trainer does.
"""

from typing import NamedTuple


class FieldError(NamedTuple):
    """One field that is wrong: its dotted path, the value found, and what would be right."""

    field: str
    value: object
    message: str


class AppError(Exception):
    status = 500
    title = "Internal error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def headers(self) -> dict[str, str]:
        """What the answer bears besides its body."""
        return {}


class InvalidInput(AppError):
    status = 422
    title = "Invalid input"

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class NotFound(AppError):
    status = 404
    title = "Not found"


class Conflict(AppError):
    status = 409
    title = "Conflict"


class Unauthorised(AppError):
    status = 401
    title = "Unauthorised"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="pathscope"'}


class Forbidden(AppError):
    status = 403
    title = "Forbidden"


class Misdirected(AppError):
    status = 421
    title = "Misdirected Request"


class TooManyRequests(AppError):
    """`retry_after` in whole seconds."""

    status = 429
    title = "Too Many Requests"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class Unavailable(AppError):
    status = 503
    title = "Unavailable"

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "5"}


class NoSpace(Exception):
    """The artifacts have no room left; nothing of the file that was to be written stands."""


class Damaged(Exception):
    """A stored file is not what was written."""


class LeaseLost(Exception):
    """The run belongs to another attempt now: whoever sees this may write nothing more and ends itself."""
