"""Finds the runs that nobody works on although somebody should: their worker fell silent, or their message was lost."""

from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend import queue
from backend.db import session_scope
from backend.models import Run, now
from backend.schemas import DeviceKind, RunStatus
from backend.services.leases import lose_attempt
from backend.settings import settings

WATCHED_SECONDS = 10.0
"""So long a reaper must have heard nothing itself: a database that was away is no silence, nor a clock that differs."""
WAITED_SECONDS = 5.0
"""A message that was just sent may be on its way."""
ELECTION = 0x70617468
"""The number of the advisory lock on Postgres."""


class SignOfLife(NamedTuple):
    heartbeat_at: datetime | None
    seen: float


class Reaper:
    """One in each API process; `look` every few seconds. A database lock lets one of them act at a time."""

    def __init__(self) -> None:
        self._signs: dict[int, SignOfLife] = {}

    def look(self) -> list[int]:
        """Take back silent runs and send lost messages again; the ids of the runs that were taken back."""
        with session_scope() as session:
            if not _elected(session):
                return []
            silent = self._silent(session)
            for run in silent:
                lose_attempt(session, run, f"its worker {run.worker} fell silent")
            waiting = _waiting(session)
        _send_lost(waiting)
        return [run.id for run in silent]

    def _silent(self, session: Session) -> list[Run]:
        running = session.execute(select(Run.id, Run.heartbeat_at).where(Run.status == RunStatus.RUNNING))
        self._signs = {run_id: self._sign(run_id, heartbeat_at) for run_id, heartbeat_at in running}
        watched_since = monotonic() - WATCHED_SECONDS
        silent_since = now() - timedelta(seconds=settings().lease_silent_seconds)
        query = select(Run).where(
            Run.id.in_([run_id for run_id, sign in self._signs.items() if sign.seen < watched_since]),
            Run.status == RunStatus.RUNNING,
            Run.heartbeat_at < silent_since,
        )
        return list(session.scalars(query.with_for_update(skip_locked=True)))

    def _sign(self, run_id: int, heartbeat_at: datetime | None) -> SignOfLife:
        known = self._signs.get(run_id)
        return known if known and known.heartbeat_at == heartbeat_at else SignOfLife(heartbeat_at, monotonic())


def _elected(session: Session) -> bool:
    """Whether this transaction is the only one that reaps. On SQLite each transaction that writes is alone anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": ELECTION}))


def _waiting(session: Session) -> dict[DeviceKind, list[int]]:
    """The runs that have waited for long enough to have a message, by the queue that holds it."""
    since = now() - timedelta(seconds=WAITED_SECONDS)
    query = select(Run.id, Run.device).where(Run.status == RunStatus.QUEUED, Run.updated_at < since).order_by(Run.id)
    waiting: dict[DeviceKind, list[int]] = {}
    for run_id, device in session.execute(query):
        waiting.setdefault(device, []).append(run_id)
    return waiting


def _send_lost(waiting: dict[DeviceKind, list[int]]) -> None:
    """Send the messages of all that wait in a queue that holds fewer than that; a second one does no harm."""
    for device, run_ids in waiting.items():
        messages = queue.waiting_messages(device)
        if messages is not None and messages < len(run_ids):
            for run_id in run_ids:
                queue.send_run(run_id, device)
