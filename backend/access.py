"""Who acts, and what they may do.

The actor of a request is set once, by `backend.api.access`, and asked wherever something is changed: opening a
transaction that writes needs scope submit (`backend.db.session_scope`), changing a run needs that it is one's own
(`may_change`). Outside a request the actor is whoever runs the process, who may do everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from backend.errors import Forbidden
from backend.schemas import TokenScope


class Actor(NamedTuple):
    """`token` and `name` are those of the token, None where the server is open; `client` is the network address."""

    scope: TokenScope
    token: str | None = None
    name: str | None = None
    client: str | None = None


OPERATOR = Actor(TokenScope.ADMIN)
_actor: ContextVar[Actor] = ContextVar("actor", default=OPERATOR)


def actor() -> Actor:
    return _actor.get()


@contextmanager
def acting(as_actor: Actor) -> Iterator[None]:
    before = _actor.set(as_actor)
    try:
        yield
    finally:
        _actor.reset(before)


def require(scope: TokenScope) -> None:
    """Raises Forbidden where the actor's scope is smaller."""
    if not actor().scope.includes(scope):
        raise Forbidden(f"this needs a token with scope {scope}; yours has scope {actor().scope}")


def may_change(submitted_by: str | None) -> bool:
    """Whether the actor may cancel, change or delete a run that was submitted with the token of this name."""
    own = actor().name is not None and actor().name == submitted_by
    return actor().scope.includes(TokenScope.SUBMIT if own else TokenScope.ADMIN)


def require_change(run_id: int, submitted_by: str | None) -> None:
    """Raises Forbidden where `may_change` says no."""
    if not may_change(submitted_by):
        whose = f"was submitted by {submitted_by}" if submitted_by else "was submitted without a token"
        raise Forbidden(f"run {run_id} {whose}; changing it needs that token or one with scope admin")
