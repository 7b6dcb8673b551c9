"""The database: declarative base, engine, the two kinds of session, and patience where it is away."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from kombu.utils.functional import retry_over_time
from sqlalchemy import DateTime, Dialect, Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from backend.access import require
from backend.schemas import TokenScope
from backend.settings import settings

log = logging.getLogger(__name__)

Result = TypeVar("Result")
AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""What SQLAlchemy raises where the database is not to be reached, went away meanwhile or has no room."""


class UTCDateTime(TypeDecorator[datetime]):
    """Aware times in, aware UTC times out, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: UTCDateTime}  # noqa: RUF012


@lru_cache
def engine() -> Engine:
    """The process's engine. A forked child must call `engine().dispose(close=False)` before it uses it."""
    url = settings().database
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, connect_args=_connect_args(url))
    sqlite = create_engine(url, connect_args={"timeout": 30})
    event.listen(sqlite, "connect", _prepare_sqlite)
    event.listen(sqlite, "begin", _begin_sqlite)
    return sqlite


def _connect_args(url: str) -> dict[str, int | str]:
    """Whoever is cut off from Postgres hears of it within seconds, and a process that was stopped holds no locks."""
    if not url.startswith("postgresql"):
        return {}
    idle = round(settings().lease_silent_seconds * 1000)
    arguments: dict[str, int | str] = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }
    if "options=" not in url:
        arguments["options"] = f"-c idle_in_transaction_session_timeout={idle}"
    return arguments


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # sqlite3 would begin transactions by itself, too late and never IMMEDIATE: _begin_sqlite does it instead.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    # A transaction that reads first and writes later cannot wait for its turn unless it says so at once. Rarely, when
    # several threads open a new database together, SQLite answers "locked" without waiting: then it is asked again.
    retry_over_time(  # type: ignore[no-untyped-call]
        connection.exec_driver_sql, OperationalError, args=["BEGIN IMMEDIATE"], max_retries=5, interval_start=0.05
    )


@contextmanager
def session_scope() -> Iterator[Session]:
    """One read-write transaction: committed at the end, rolled back on an exception; then `on_commit` calls run.

    Raises Forbidden in a request whose token may only read.
    """
    require(TokenScope.SUBMIT)
    with Session(engine().execution_options(writes=True), expire_on_commit=False) as session:
        yield session
        session.commit()
        for call in session.info.pop("on_commit", []):
            call()


@contextmanager
def read_scope() -> Iterator[Session]:
    """A session to read with; it never waits for a writer.

    On SQLite it is one transaction. On other databases each query stands alone: it would see what is committed by then
    in any case, and BEGIN and ROLLBACK would be two more questions to the server. It begins and ends without any.
    """
    alone = {} if engine().dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with Session(engine().execution_options(**alone), autoflush=False) as session:
        yield session
        session.rollback()


def on_commit(session: Session, call: Callable[[], object]) -> None:
    """Call this once the transaction of `session` stands, never before."""
    session.info.setdefault("on_commit", []).append(call)


def patiently(work: Callable[[], Result], seconds: float) -> Result:
    """What `work` returns. While the database is away it is called again, at growing intervals, for so long at most.

    It must be a whole transaction that may be repeated: one whose commit was not answered may stand all the same.
    """

    def tell(error: Exception, intervals: Iterator[float], _retries: int) -> float:
        wait = next(intervals)
        log.warning("the database does not answer, the next try is in %.1f s: %s", wait, error)
        return wait

    result: Result = retry_over_time(  # type: ignore[no-untyped-call]
        work, AWAY, errback=tell, timeout=seconds, interval_start=0.2, interval_step=0.4, interval_max=4
    )
    return result
