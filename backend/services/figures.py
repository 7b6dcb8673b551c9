"""How the whole server is doing, in figures: what /metrics tells."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.models import Event, Run, now
from backend.run_states import RunStatus
from backend.services.workers import list_workers


class Figures(NamedTuple):
    """Ages are in seconds, None where there is nothing that could be old."""

    runs: dict[RunStatus, int]
    oldest_queued: float | None
    workers_alive: int
    recordings: int
    lost_attempts: int
    heartbeat_ages: dict[int, float]


def figures(session: Session) -> Figures:
    """Of all runs; `heartbeat_ages` has an entry for each run that is in the hands of a worker."""
    counts = dict(session.execute(select(Run.status, func.count()).group_by(Run.status)).all())
    stored, lost = session.execute(select(func.sum(Run.last_recording + 1), func.sum(Run.lost_attempts))).one()
    oldest = _oldest_queued(session)
    held = session.execute(select(Run.id, Run.heartbeat_at).where(Run.lease.is_not(None)))
    return Figures(
        runs={status: counts.get(status, 0) for status in RunStatus},
        oldest_queued=_age(oldest) if oldest else None,
        workers_alive=sum(worker.alive for worker in list_workers(session)),
        recordings=stored or 0,
        lost_attempts=lost or 0,
        heartbeat_ages={run_id: _age(when) for run_id, when in held if when is not None},
    )


def _oldest_queued(session: Session) -> datetime | None:
    """Since when the run has waited that has waited longest: its newest status is that it was queued, perhaps again."""
    since = select(func.max(Event.created_at)).where(Event.run_id == Run.id, Event.kind == "status").scalar_subquery()
    return session.scalar(select(func.min(since)).where(Run.status == RunStatus.QUEUED))


def _age(when: datetime) -> float:
    return max((now() - when).total_seconds(), 0.0)
