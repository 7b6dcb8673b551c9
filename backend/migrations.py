"""Brings the database's tables to what this version of the code expects."""

import time
from collections.abc import Callable
from pathlib import Path

from alembic.command import upgrade
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from backend.db import engine
from backend.settings import settings


def migrate() -> None:
    """Run every migration that is missing. Safe in several processes at once: alembic/env.py makes them take turns."""
    upgrade(_config(), "head")


def is_migrated() -> bool:
    """Whether the tables are those that this version expects."""
    with engine().connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    return set(found) == set(ScriptDirectory.from_config(_config()).get_heads())


def unreachable_because(wait_seconds: float = 0, on_wait: Callable[[], object] = bool) -> str | None:
    """Why the database does not answer, in one line, once it has not for so long; None where it does.

    `on_wait` is called once if it has to be waited for.
    """
    deadline = time.monotonic() + wait_seconds
    waiting = False
    while (reason := _try_to_connect()) is not None and time.monotonic() < deadline:
        if not waiting:
            on_wait()
        waiting = True
        time.sleep(0.5)
    return reason


def _try_to_connect() -> str | None:
    url = settings().database
    try:
        probe = create_engine(url, connect_args={"connect_timeout": 5} if url.startswith("postgresql") else {})
        with probe.connect():
            pass
        probe.dispose()
    except (SQLAlchemyError, ImportError) as error:
        cause = getattr(error, "orig", None) or error
        return str(cause).strip().splitlines()[0]
    return None


def _config() -> Config:
    return Config(Path(__file__).resolve().parent.parent / "alembic.ini")
