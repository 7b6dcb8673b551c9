"""Every error as problem+json (RFC 9457), with the fields that are wrong under `errors`."""

import json
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from backend.db import AWAY
from backend.errors import AppError, FieldError, InvalidInput, Unavailable

log = logging.getLogger(__name__)

SHOWN_CHARACTERS = 200


class FieldProblem(BaseModel):
    field: str
    value: Any = None
    message: str


class Problem(BaseModel):
    """The body of every answer with a status of 400 or above."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] = []


def problem(request: Request, status: int, title: str, detail: str, errors: Sequence[FieldError] = ()) -> Response:
    body = Problem(
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=[FieldProblem(field=error.field, value=_shown(error.value), message=error.message) for error in errors],
    )
    # In ASCII, as a field may bear half a character that UTF-8 cannot.
    return Response(json.dumps(body.model_dump()), status_code=status, media_type="application/problem+json")


def field_errors(found: Sequence[Any]) -> list[FieldError]:
    """Pydantic's errors as ours: the dotted path within the body or query, the value found, the message."""
    return [FieldError(_field(error), error.get("input"), _message(error)) for error in found]


def handle_errors(app: FastAPI) -> None:
    """Let `app` answer every exception with a problem; a traceback goes to the log alone."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(DataError, _data_error)
    for kind in AWAY:
        app.add_exception_handler(kind, _database_error)
    app.add_exception_handler(Exception, unexpected)


def problem_of(request: Request, error: AppError) -> Response:
    errors = error.errors if isinstance(error, InvalidInput) else []
    answer = problem(request, error.status, error.title, error.detail, errors)
    answer.headers.update(error.headers)
    return answer


def _app_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)  # noqa: S101
    return problem_of(request, error)


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return _app_error(request, InvalidInput(field_errors(error.errors())))


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    answer = problem(request, error.status_code, HTTPStatus(error.status_code).phrase, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def _data_error(request: Request, error: Exception) -> Response:
    return problem(request, 422, InvalidInput.title, f"the database cannot hold a value of this request: {error.orig}")  # type: ignore[attr-defined]


def _database_error(request: Request, error: Exception) -> Response:
    log.error("the database failed on %s", request.url.path, exc_info=error)
    return problem_of(request, Unavailable("the database does not answer; try again shortly"))


def unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected error on %s", request.url.path, exc_info=error)
    return problem(request, 500, AppError.title, "something went wrong on the server; its log says what")


def _field(error: dict[str, Any]) -> str:
    location = error["loc"] if error["type"] != "json_invalid" else ()
    inside = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    return ".".join(str(part) for part in inside) or "body"


def _message(error: dict[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return f"the body is not JSON: {error.get('ctx', {}).get('error', 'it cannot be parsed')}"
    return str(error["msg"]).removeprefix("Value error, ")


def _shown(value: object) -> object:
    """The value as JSON can bear it; long ones are cut, as they are only to be recognised."""
    try:
        text = orjson.dumps(value)
    except TypeError:
        return repr(value)[:SHOWN_CHARACTERS]
    return (
        orjson.loads(text) if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS].decode(errors="ignore") + "…"
    )
