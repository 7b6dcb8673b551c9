"""Refuses bodies that are too large, with a problem where Starlette's own limit would answer in plain text."""

from fastapi import Request
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.api.problems import problem


class BodyLimit:
    """Answers a declared length itself; Starlette cuts off a body without one, and that is handled as any error."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.limited = RequestBodyLimitMiddleware(app, max_bytes)
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _declared(Request(scope)) > self.max_bytes:
            detail = f"the body may have at most {self.max_bytes:,} bytes"
            await problem(Request(scope), 413, "Content Too Large", detail)(scope, receive, send)
            return
        await self.limited(scope, receive, send)


def _declared(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0
