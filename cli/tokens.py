"""`pathscope token`: makes, lists and revokes tokens, straight in the database, so that the first needs no token."""

import re
from datetime import timedelta

from rich.table import Table

from backend.db import read_scope, session_scope
from backend.errors import AppError
from backend.models import now
from backend.schemas import TokenOut, TokenScope
from backend.services import tokens
from cli import checks
from cli.console import FAILED, INVALID, CliError, complain, out, say

_NAME = re.compile(r"[\w.@-]{1,100}")
_NEVER = "never"
_DURATION = re.compile(r"(\d{1,4})([hdwy])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}


def create(name: str, scope: str, expires: str) -> None:
    """Print the new token alone on standard output: a script can take it from there."""
    if not _NAME.fullmatch(name):
        raise CliError(f"a name has letters, digits and . _ - @, found {name!r}", INVALID)
    if scope not in set(TokenScope):
        raise CliError(f"a scope is {', '.join(TokenScope)}, found {scope!r}", INVALID)
    expires_at = None if expires == _NEVER else now() + _duration(expires)
    _check()
    try:
        with session_scope() as session:
            token, value = tokens.create(session, name, TokenScope(scope), expires_at)
    except AppError as error:
        raise CliError(error.detail, FAILED) from error
    until = f"until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "until it is revoked"
    complain(f"The token of {token.name}, scope {token.scope}, {until}; it is shown only now:")
    say(value)


def list_tokens() -> None:
    _check()
    table = Table(box=None, pad_edge=False)
    for column in ("id", "name", "scope", "state", "created", "expires", "last used"):
        table.add_column(column, no_wrap=True)
    with read_scope() as session:
        found = tokens.list_tokens(session)
    for token in found:
        times = (token.created_at, token.expires_at, token.last_used_at)
        shown = (f"{time:%Y-%m-%d %H:%M}" if time else "never" for time in times)
        table.add_row(token.id, token.name, token.scope, _state(token), *shown)
    if found:
        out.print(table)
    else:
        say("There is no token; make one with `pathscope token create NAME`.")


def revoke(name: str) -> None:
    _check()
    try:
        with session_scope() as session:
            token = tokens.revoke(session, name)
    except AppError as error:
        raise CliError(error.detail, FAILED) from error
    say(f"The token of {token.name} ({token.id}) is revoked, and every session that was opened with it has ended.")


def _check() -> None:
    checks.check_home()
    checks.check_database()
    checks.check_migrated()


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise CliError(f"--expires takes a time such as 12h, 30d, 8w, 1y or never, found {text!r}", INVALID)
    return int(found[1]) * _UNITS[found[2]]


def _state(token: TokenOut) -> str:
    if token.revoked_at:
        return "revoked"
    return "expired" if token.expires_at and token.expires_at <= now() else "in force"
