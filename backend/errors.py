"""What can go wrong on a request, as one tree; each class bears the HTTP status that it becomes.

AppError 500
├── InvalidInput 422     fields whose values cannot be used
├── NotFound 404
├── Conflict 409         the thing is in a state that forbids it
└── Unavailable 503      database, broker or worker does not answer

LeaseLost is no answer to a request: a trainer whose run was given to another one raises it.
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


class Unavailable(AppError):
    status = 503
    title = "Unavailable"


class LeaseLost(Exception):
    """The run belongs to another attempt now: whoever sees this may write nothing more and ends itself."""
