"""The page on which a browser trades a token for a session, and the way out."""

import asyncio
import re
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from backend import rate_limits
from backend.access import actor
from backend.api.access import SESSION_TOKEN, SIGN_IN, SIGN_OUT
from backend.db import read_scope
from backend.errors import AppError
from backend.services import tokens
from backend.settings import settings

_PAGE = Template((Path(__file__).parent / "sign_in.html").read_text())
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20]*")


def register(api: FastAPI) -> None:
    @api.get(SIGN_IN, include_in_schema=False)
    def show(next: str = "/") -> Response:  # noqa: A002
        return _page(next)

    @api.post(SIGN_IN, include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=10)
        value, after = (form.get(name, [""])[0] for name in ("token", "next"))
        try:
            token_id = await asyncio.to_thread(_token_of, value.strip())
        except AppError as error:
            return _page(after, error)
        request.session.clear()
        request.session[SESSION_TOKEN] = token_id
        return RedirectResponse(_own(after), status_code=303)

    @api.post(SIGN_OUT, include_in_schema=False)
    async def sign_out(request: Request) -> Response:
        request.session.clear()
        return RedirectResponse(SIGN_IN, status_code=303)


def _token_of(value: str) -> str:
    """The id of the token with this value. Raises Unauthorised, TooManyRequests."""
    rate_limits.count("attempts to sign in", settings().sign_in_limit, actor().client or "unknown")
    with read_scope() as session:
        return str(tokens.actor_of_value(session, value).token)


def _page(after: str, error: AppError | None = None) -> Response:
    said = f"{error.detail[:1].upper()}{error.detail[1:]}." if error else ""
    shown = {"next": escape(_own(after)), "message": escape(said), "invalid": "true" if error else "false"}
    status = error.status if error else 200
    headers = {"Cache-Control": "no-store"} | (error.headers if error else {})
    return HTMLResponse(_PAGE.substitute(shown), status_code=status, headers=headers)


def _own(address: str) -> str:
    """The address where it is a path on this server, else the first page."""
    return address if _OWN_PATH.fullmatch(address) else "/"
