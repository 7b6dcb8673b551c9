"""Who may write to a run: a worker claims the row and gets a lease, and every write of its trainer carries it."""

from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend import queue
from backend.errors import LeaseLost
from backend.models import Run, now
from backend.schemas import Progress, RunSpec, RunStatus
from backend.services.events import add_event
from backend.services.runs import finish
from backend.settings import settings


class Lease(NamedTuple):
    """The right to write to a run; it ends with the attempt that it was given for."""

    run_id: int
    token: str


def claim(session: Session, run_id: int, worker: str) -> Lease | None:
    """Take a queued run for this worker; None where another was first, so that a second message does no harm."""
    lease = Lease(run_id, uuid4().hex)
    claimed = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.status == RunStatus.QUEUED)
        .values(
            status=RunStatus.RUNNING,
            lease=lease.token,
            worker=worker,
            attempt=Run.attempt + 1,
            heartbeat_at=now(),
            progress=Progress().model_dump(),
        )
    )
    if claimed.rowcount == 0:  # type: ignore[attr-defined]
        return None
    run = leased_run(session, lease)
    run.started_at = run.started_at or now()
    add_event(session, run, "status", {"status": RunStatus.RUNNING, "attempt": run.attempt})
    return lease


def leased_run(session: Session, lease: Lease) -> Run:
    """The run's row, held until the transaction ends. Raises LeaseLost: nothing of that transaction may stand then."""
    run = session.scalar(select(Run).where(Run.id == lease.run_id, Run.lease == lease.token).with_for_update())
    if run is None:
        raise LeaseLost(f"run {lease.run_id} belongs to another attempt")
    return run


def spec_of(session: Session, lease: Lease) -> RunSpec:
    return RunSpec.model_validate(leased_run(session, lease).spec)


def report_progress(session: Session, lease: Lease, progress: Progress) -> bool:
    """Store how far the trainer is; True where it has been asked to stop. Raises LeaseLost."""
    run = leased_run(session, lease)
    run.progress = progress.model_dump()
    run.heartbeat_at = now()
    return run.cancel_requested_at is not None


def heartbeat(session: Session, lease: Lease) -> float | None:
    """Say that the attempt lives; seconds since it was asked to stop, None where it was not. Raises LeaseLost."""
    run = leased_run(session, lease)
    run.heartbeat_at = now()
    return (now() - run.cancel_requested_at).total_seconds() if run.cancel_requested_at else None


def end(session: Session, lease: Lease, status: RunStatus, reason: str | None = None) -> None:
    """Write how the attempt ended and give the lease up. Raises LeaseLost."""
    finish(session, leased_run(session, lease), status, reason)


def give_back(session: Session, lease: Lease) -> None:
    """Queue the run again, for a worker that must stop; the attempt does not count. Raises LeaseLost."""
    run = leased_run(session, lease)
    run.attempt -= 1
    _queue_again(session, run)


def take_back_silent(session: Session) -> list[int]:
    """Queue again each run whose worker has been silent for too long; past the last attempt it fails. Their ids."""
    silent_since = now() - timedelta(seconds=settings().lease_silent_seconds)
    query = select(Run).where(Run.status == RunStatus.RUNNING, Run.heartbeat_at < silent_since)
    runs = list(session.scalars(query.with_for_update(skip_locked=True)))
    for run in runs:
        if run.cancel_requested_at is not None:
            finish(session, run, RunStatus.CANCELLED, None)
        elif run.attempt >= settings().max_attempts:
            finish(session, run, RunStatus.FAILED, f"its worker fell silent in each of {run.attempt} attempts")
        else:
            _queue_again(session, run)
    return [run.id for run in runs]


def wake_queued(session: Session) -> None:
    """Send the message of every queued run once more: a broker may have lost it, and a second one does no harm."""
    for run_id in session.scalars(select(Run.id).where(Run.status == RunStatus.QUEUED).order_by(Run.id)):
        queue.enqueue_run(session, run_id)


def _queue_again(session: Session, run: Run) -> None:
    run.status, run.lease, run.worker = RunStatus.QUEUED, None, None
    add_event(session, run, "status", {"status": RunStatus.QUEUED, "attempt": run.attempt})
    queue.enqueue_run(session, run.id)
