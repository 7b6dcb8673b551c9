"""Lets a request in or answers why not; in front of everything that the server has, pages, sockets and documents too.

Who comes with a token, as `Authorization: Bearer …` or in the session of a browser that signed in, acts with its scope.
Which scope a request needs is said in `needed_scope` alone; what a run's owner may do is said in `backend.access`.
"""

import asyncio
import time
from contextlib import suppress
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from backend.access import OPERATOR, Actor, acting, require
from backend.api import origin
from backend.api.problems import problem_of
from backend.db import read_scope, session_scope
from backend.errors import AppError, Forbidden, Unauthorised, Unavailable
from backend.schemas import TokenScope
from backend.services import tokens
from backend.settings import settings

SESSION_TOKEN = "token"  # noqa: S105
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
OPEN_PATHS = {"/healthz", "/readyz", SIGN_IN, SIGN_OUT}
OPEN_FOLDERS = ("/assets/", "/_dash-component-suites/", "/api/static/")
CHECKED_EVERY_SECONDS = 2.0


def needed_scope(method: str, path: str) -> TokenScope | None:
    """None where nobody need be known: whether the server lives, the sign-in page, scripts and styles.

    A callback of the dashboard reads, and what it changes is refused in `backend.db.session_scope`.
    """
    if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS):
        return None
    if method in origin.SAFE_METHODS or path == "/_dash-update-component":
        return TokenScope.READ
    return TokenScope.SUBMIT


class Access:
    """Pure ASGI: FastAPI's dependencies would cover neither Dash's pages nor static files nor sockets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            origin.check(connection)
            actor = await _admitted(connection)
        except AppError as error:
            await _refuse(connection, error)(scope, receive, send)
            return
        with acting(actor), suppress(TokenEnded, ClientDisconnect):
            await self.app(scope, receive, _while_in_force(actor, send) if actor.token else send)


async def _admitted(connection: HTTPConnection) -> Actor:
    """Who asks. Raises Unauthorised, Forbidden, and Unavailable where the database cannot tell."""
    needed = needed_scope(connection.scope.get("method", "GET"), connection.scope["path"])
    client = connection.client.host if connection.client else "unknown"
    if needed is None:
        return Actor(TokenScope.READ, client=client)
    try:
        actor = await asyncio.to_thread(_identify, connection)
    except SQLAlchemyError as error:
        raise Unavailable("the database does not answer; try again shortly") from error
    with acting(actor):
        require(needed)
    return actor._replace(client=client)


def _identify(connection: HTTPConnection) -> Actor:
    kind, _, value = connection.headers.get("authorization", "").partition(" ")
    token_id = connection.session.get(SESSION_TOKEN)
    with read_scope() as session:
        if kind.lower() == "bearer":
            actor = tokens.actor_of_value(session, value.strip())
        elif not tokens.needed(session):
            return _anybody(connection)
        elif token_id is None:
            raise Unauthorised("a token is wanted: sign in, or send it as `Authorization: Bearer …`")
        else:
            actor = tokens.actor_of_id(session, token_id)
            _check_sender(connection)
        unnoted = tokens.use_is_old(session, str(actor.token))
    if unnoted:
        with session_scope() as session:
            tokens.note_use(session, str(actor.token))
    return actor


def _anybody(connection: HTTPConnection) -> Actor:
    """Without tokens everybody may do everything, on this machine or where the operator said so."""
    if settings().auth != "none" and not origin.is_local(connection):
        raise Unauthorised("this server is open on this machine only; its operator has to make a token first")
    return OPERATOR


def _check_sender(connection: HTTPConnection) -> None:
    """A cookie comes along by itself, so a browser has to say that a page of ours asks."""
    if origin.changes_something(connection) and not origin.names_its_sender(connection):
        raise Forbidden("a request with a session must name its Origin; programs send a token instead")


def _refuse(connection: HTTPConnection, error: AppError) -> ASGIApp:
    if connection.scope["type"] == "websocket":
        return WebSocketClose(code=1008, reason=error.detail[:100])
    wants_page = "text/html" in connection.headers.get("accept", "") and connection.scope["method"] == "GET"
    if isinstance(error, Unauthorised) and wants_page:
        return RedirectResponse(f"{SIGN_IN}?next={quote(_address(connection))}", status_code=303)
    return problem_of(Request(connection.scope), error)


def _address(connection: HTTPConnection) -> str:
    query = connection.scope["query_string"].decode("latin-1")
    return f"{connection.scope['path']}?{query}" if query else str(connection.scope["path"])


class TokenEnded(OSError):
    """As if the client had gone: the answer that was being sent ends here."""


def _while_in_force(actor: Actor, send: Send) -> Send:
    """`send`, until the token ends: a stream or a socket that is open may not outlive it."""
    checked, is_stream = time.monotonic(), False

    async def guarded(message: Message) -> None:
        nonlocal checked, is_stream
        if message["type"] == "http.response.start":
            is_stream = "content-length" not in Headers(raw=message["headers"])
        elif message["type"] in _LAST and is_stream and time.monotonic() - checked > CHECKED_EVERY_SECONDS:
            checked = time.monotonic()
            if not await asyncio.to_thread(_in_force, actor):
                await send(_LAST[message["type"]])
                raise TokenEnded
        is_stream |= message["type"] == "websocket.accept"
        await send(message)

    return guarded


_LAST: dict[str, Message] = {
    "http.response.body": {"type": "http.response.body", "body": b"", "more_body": False},
    "websocket.send": {"type": "websocket.close", "code": 1008, "reason": "the token has ended"},
}


def _in_force(actor: Actor) -> bool:
    try:
        with read_scope() as session:
            tokens.actor_of_id(session, str(actor.token))
    except Unauthorised:
        return False
    except SQLAlchemyError:
        return True
    return True
