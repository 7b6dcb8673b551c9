"""Gives each request an id, which its log lines and its answer bear, and measures how long the answer takes."""

import logging
import re
from time import perf_counter
from uuid import uuid4

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.deps import PREFIX
from backend.api.metrics import observe_request
from backend.api.problems import unexpected

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
SLOW_SECONDS = 1.0
_CONVERTER = re.compile(r":\w+}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestLog:
    """Logs what changes something, fails or is slow; all else only at level DEBUG."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(HEADER, "")
        request_id = asked if _ID.fullmatch(asked) else uuid4().hex
        began = perf_counter()
        answering = False

        async def answer(message: Message) -> None:
            nonlocal answering
            # A stream goes on for as long as its run does: what counts is when the answer begins.
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
                answering = True
                _note(scope, message["status"], perf_counter() - began)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, answer)
            except Exception as error:
                if answering:
                    raise
                # Here and not in Starlette's outermost layer, so that the id stands in log and answer.
                await unexpected(Request(scope), error)(scope, receive, answer)


def _note(scope: Scope, status: int, seconds: float) -> None:
    observe_request(scope["method"], _route(scope), status, seconds)
    changes = scope["method"] not in ("GET", "HEAD") and not scope["path"].startswith("/_dash")
    level = logging.INFO if changes or status >= 400 or seconds > SLOW_SECONDS else logging.DEBUG
    details = {"method": scope["method"], "path": scope["path"], "status": status, "seconds": round(seconds, 4)}
    log.log(level, "%s %s: %s", scope["method"], scope["path"], status, extra=details)


def _route(scope: Scope) -> str:
    """The route's template as the API's document has it, so that all runs count together."""
    template = _CONVERTER.sub("}", getattr(scope.get("route"), "path", "none"))
    below = scope["path"].startswith(PREFIX) and not template.startswith("/api/")
    return PREFIX + template if below else template
