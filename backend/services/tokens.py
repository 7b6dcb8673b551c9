"""The tokens that let people and programs in.

A token is 256 random bits, so a plain SHA-256 of it tells nobody anything and needs no salt and no slow hash. It is
known by the first 16 digits of that hash, its id. `PATHSCOPE_ADMIN_TOKEN` stands beside those of the database.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from backend.access import Actor
from backend.errors import Conflict, NotFound, Unauthorised
from backend.models import Token, now
from backend.schemas import TokenOut, TokenScope
from backend.settings import settings

PREFIX = "ps_"
ADMINISTRATOR = "administrator"
_USE_NOTED_EVERY = timedelta(minutes=1)
_NOT_IN_FORCE = "this token is unknown, expired or revoked"


def create(session: Session, name: str, scope: TokenScope, expires_at: datetime | None) -> tuple[TokenOut, str]:
    """A new token and its value, which is kept nowhere. Raises Conflict where a token in force has this name."""
    if name == ADMINISTRATOR or session.scalar(select(Token.id).where(Token.name == name, _in_force())):
        raise Conflict(f"there is a token {name!r} already; revoke it first, or choose another name")
    value = PREFIX + secrets.token_urlsafe(32)
    token = _made(value, name, scope)
    token.expires_at = expires_at
    session.add(token)
    session.flush()
    return TokenOut.model_validate(token), value


def list_tokens(session: Session) -> list[TokenOut]:
    """Every token that ever was, the newest first."""
    return [
        TokenOut.model_validate(token) for token in session.scalars(select(Token).order_by(Token.created_at.desc()))
    ]


def revoke(session: Session, name_or_id: str) -> TokenOut:
    """End a token at once, and every session of a browser that was opened with it. Raises NotFound."""
    found = select(Token).where(or_(Token.name == name_or_id, Token.id == name_or_id), _in_force())
    token = session.scalar(found)
    if token is None:
        raise NotFound(f"there is no token {name_or_id!r} in force")
    token.revoked_at = now()
    session.flush()
    return TokenOut.model_validate(token)


def needed(session: Session) -> bool:
    """Whether this server lets nobody in without a token: where it was told so, is public, or ever had one."""
    if settings().auth == "none":
        return False
    return settings().auth == "tokens" or bool(settings().public_urls) or _administrator() is not None or _any(session)


def any_in_force(session: Session) -> bool:
    return _administrator() is not None or session.scalar(select(Token.id).where(_in_force()).limit(1)) is not None


def actor_of_value(session: Session, value: str) -> Actor:
    """Who bears this token. Raises Unauthorised."""
    hashed = _hash(value)
    token = _by_id(session, hashed[:16])
    if token is None or not hmac.compare_digest(token.hash, hashed):
        raise Unauthorised(_NOT_IN_FORCE)
    return Actor(token.scope, token.id, token.name)


def actor_of_id(session: Session, token_id: str) -> Actor:
    """Who signed in with the token of this id. Raises Unauthorised once it has expired or was revoked."""
    token = _by_id(session, token_id)
    if token is None:
        raise Unauthorised(_NOT_IN_FORCE)
    return Actor(token.scope, token.id, token.name)


def use_is_old(session: Session, token_id: str) -> bool:
    """Whether it is time to note again that the token is used."""
    since = now() - _USE_NOTED_EVERY
    unused = or_(Token.last_used_at.is_(None), Token.last_used_at < since)
    return session.scalar(select(Token.id).where(Token.id == token_id, unused)) is not None


def note_use(session: Session, token_id: str) -> None:
    token = session.get(Token, token_id)
    if token is not None:
        token.last_used_at = now()


def _by_id(session: Session, token_id: str) -> Token | None:
    administrator = _administrator()
    if administrator is not None and administrator.id == token_id:
        return administrator
    return session.scalar(select(Token).where(Token.id == token_id, _in_force()))


def _in_force() -> ColumnElement[bool]:
    return Token.revoked_at.is_(None) & or_(Token.expires_at.is_(None), Token.expires_at > now())


def _any(session: Session) -> bool:
    return session.scalar(select(Token.id).limit(1)) is not None


def _administrator() -> Token | None:
    """The token of the settings, which no table holds."""
    value = settings().administrator
    return _made(value, ADMINISTRATOR, TokenScope.ADMIN) if value else None


def _made(value: str, name: str, scope: TokenScope) -> Token:
    hashed = _hash(value)
    return Token(id=hashed[:16], hash=hashed, name=name, scope=scope, created_at=now())


def _hash(value: str) -> str:
    return sha256(value.encode()).hexdigest()
