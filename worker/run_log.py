"""Stores what a trainer prints, for as long as its attempt is the newest; a database that is away loses no line."""

import logging
import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

from sqlalchemy.exc import SQLAlchemyError

from backend.db import patiently, session_scope
from backend.errors import LeaseLost
from backend.services import events
from backend.services.leases import Lease
from backend.settings import settings

log = logging.getLogger(__name__)

LOG_SECONDS = 0.5


def keep_log(lease: Lease, output: IO[str]) -> None:
    """Store lines in batches until the trainer closes its output."""
    lines: SimpleQueue[str | None] = SimpleQueue()
    Thread(target=_read_lines, args=(output, lines), daemon=True).start()
    try:
        number = 1 + patiently(lambda: _last(lease), settings().database_patience_seconds)
        while True:
            batch = _batch(lines)
            texts = [line for line in batch if line is not None]
            _store(lease, number, texts)
            number += len(texts)
            if None in batch:
                return
    except LeaseLost:
        return
    except SQLAlchemyError as error:
        log.error("log lines of run %s are lost: %s", lease.run_id, error)


def _batch(lines: SimpleQueue[str | None]) -> list[str | None]:
    """Wait for a line; it, and what comes soon after."""
    batch = [lines.get()]
    time.sleep(LOG_SECONDS)
    while True:
        try:
            batch.append(lines.get_nowait())
        except Empty:
            return batch


def _read_lines(output: IO[str], lines: SimpleQueue[str | None]) -> None:
    for line in output:
        lines.put(line.rstrip("\n").replace("\0", ""))
    lines.put(None)


def _last(lease: Lease) -> int:
    with session_scope() as session:
        return events.last_log_line(session, lease.run_id)


def _store(lease: Lease, first: int, lines: list[str]) -> None:
    def store() -> None:
        with session_scope() as session:
            events.add_log_lines(session, lease.run_id, lease.attempt, first, lines)

    patiently(store, settings().database_patience_seconds)
