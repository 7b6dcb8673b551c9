"""The OpenAPI document: what FastAPI writes, and what holds for every request and so stands in one place."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from backend.api.access import needed_scope

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_EVERYWHERE = {
    "403": "the token's scope is too small, or another site asks",
    "413": "the body is too large",
    "421": "the Host is none of this server's names",
    "422": "a field has a value that cannot be used; `errors` names each",
    "503": "the database does not answer",
}
_WITH_TOKEN = {"401": "a token is wanted, or this one is not in force"}
_WITH_BODY = {"400": "the body cannot be read, e.g. as it is not UTF-8"}
_METHODS = {"get", "put", "post", "delete", "patch", "head"}
_BEARER = {"type": "http", "scheme": "bearer", "description": "a token: `pathscope token create`"}


def document_access(app: FastAPI) -> None:
    """Let the document of `app` say what every operation may answer, and who may ask."""
    write = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = write()
            document["components"]["securitySchemes"] = {"token": _BEARER}
            for path, method, operation in _operations(document):
                _complete(operation, needed_scope(method.upper(), path) is not None)
        return write()

    app.openapi = openapi  # type: ignore[method-assign]


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield path, method, operation


def _complete(operation: dict[str, Any], is_guarded: bool) -> None:
    responses = operation["responses"]
    if is_guarded:
        operation["security"] = [{"token": []}]
    with_token = _WITH_TOKEN if is_guarded else {}
    with_body = _WITH_BODY if "requestBody" in operation else {}
    for status, description in (_EVERYWHERE | with_token | with_body).items():
        responses.setdefault(status, {"description": description})
    for status, response in responses.items():
        if int(status) >= 400 and "Readiness" not in str(response):
            response["content"] = _PROBLEM
