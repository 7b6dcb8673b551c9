"""What routes ask for: a session to read or to write, and the numbers that stand in paths."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import Depends, Path
from sqlalchemy.orm import Session

from backend import rate_limits
from backend.api.problems import Problem
from backend.db import read_scope, session_scope

PREFIX = "/api/v1"


async def _reading() -> AsyncIterator[Session]:
    # Asynchronous to save two changes of thread: neither beginning nor ending such a session waits for the database.
    with read_scope() as session:
        yield session


def _writing() -> Iterator[Session]:
    with session_scope() as session:
        yield session


# scope="function": the transaction stands before the client is answered.
Reading = Annotated[Session, Depends(_reading, scope="function")]
Writing = Annotated[Session, Depends(_writing, scope="function")]
RunId = Annotated[int, Path(ge=1, lt=2**53, description="the run's number")]
ImageIndex = Annotated[int, Path(ge=0, lt=2**31, description="the probe image, from 0")]

Responses = dict[int | str, dict[str, Any]]
NOT_FOUND: Responses = {
    404: {"model": Problem, "description": "no such run, layer, image or recording; the detail says what exists"}
}
INVALID: Responses = {
    422: {"model": Problem, "description": "a field has a value that cannot be used; `errors` names each"}
}
CONFLICT: Responses = {409: {"model": Problem, "description": "the run's state, or an earlier request, forbids it"}}
TOO_MANY: Responses = {429: {"model": Problem, "description": "too many requests; Retry-After says when to come back"}}
SUBMISSION = Depends(rate_limits.count_submission)
"""For each route that makes runs."""
