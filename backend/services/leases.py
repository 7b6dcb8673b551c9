"""Who may write to a run: a worker claims the row and gets a lease, and every write of its trainer carries it."""

from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend import queue
from backend.errors import LeaseLost
from backend.models import Run, now
from backend.run_states import RunCommand
from backend.schemas import Progress, RunSpec, RunStatus
from backend.services.events import add_event
from backend.services.transitions import finish, pause, queue_again
from backend.services.workers import Machine
from backend.settings import settings


class Lease(NamedTuple):
    """The right to write to a run; it ends with the attempt that it was given for."""

    run_id: int
    token: str
    attempt: int


def claim(session: Session, run_id: int, worker: str) -> Lease | None:
    """Take a queued run for this worker; None where another was first, so that a second message does no harm."""
    token = uuid4().hex
    claimed = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.status == RunStatus.QUEUED)
        .values(
            status=RunStatus.RUNNING,
            lease=token,
            worker=worker,
            attempt=Run.attempt + 1,
            heartbeat_at=now(),
            progress=Progress().model_dump(),
        )
    )
    if claimed.rowcount == 0:  # type: ignore[attr-defined]
        return None
    run = session.get_one(Run, run_id)
    run.started_at = run.started_at or now()
    add_event(session, run, "status", {"status": RunStatus.RUNNING, "attempt": run.attempt})
    return Lease(run_id, token, run.attempt)


def claim_next(session: Session, woken_for: int, worker: str, machine: Machine) -> Lease | None:
    """Take the run that comes first of those that this worker can train; None where none waits.

    It need not be the one that the worker was woken for. That one's message is used up, so it is sent once more; where
    this worker has too few GPUs for it, the reaper does so, lest it come back at once.
    """
    best = (
        select(Run.id)
        .where(Run.status == RunStatus.QUEUED, machine.trainable)
        .order_by(Run.priority.desc(), Run.id)
        .limit(1)
    )
    lease = None
    # Another worker may take the same one between the two statements.
    while lease is None and (run_id := session.scalar(best)) is not None:
        lease = claim(session, run_id, worker)
    if lease is not None and lease.run_id != woken_for:
        waiting = select(Run.device).where(Run.id == woken_for, Run.status == RunStatus.QUEUED, machine.trainable)
        if (device := session.scalar(waiting)) is not None:
            queue.enqueue_run(session, woken_for, device)
    return lease


def leased_run(session: Session, lease: Lease) -> Run:
    """The run's row, held until the transaction ends. Raises LeaseLost: nothing of that transaction may stand then."""
    run = session.scalar(select(Run).where(Run.id == lease.run_id, Run.lease == lease.token).with_for_update())
    if run is None:
        raise LeaseLost(f"run {lease.run_id} belongs to another attempt")
    return run


def spec_of(session: Session, lease: Lease) -> RunSpec:
    return RunSpec.model_validate(leased_run(session, lease).spec)


def report_progress(session: Session, lease: Lease, progress: Progress) -> RunCommand | None:
    """Store how far the trainer is; what it has been asked to do, to cancel or to pause. Raises LeaseLost."""
    run = leased_run(session, lease)
    run.progress = progress.model_dump()
    run.heartbeat_at = now()
    if run.cancel_requested_at is not None:
        return RunCommand.CANCEL
    return RunCommand.PAUSE if run.pause_requested_at is not None else None


class Heard(NamedTuple):
    """Whether the trainer has told of its progress yet; what the attempt has been asked to do, and how long ago."""

    begun: bool
    command: RunCommand | None
    seconds: float


def heartbeat(session: Session, lease: Lease) -> Heard:
    """Say that the attempt lives, and hear how it stands. Raises LeaseLost."""
    run = leased_run(session, lease)
    run.heartbeat_at = now()
    begun = Progress.model_validate(run.progress).phase != "starting"
    for command, since in (
        (RunCommand.CANCEL, run.cancel_requested_at),
        (RunCommand.PAUSE, run.pause_requested_at),
    ):
        if since is not None:
            return Heard(begun, command, (now() - since).total_seconds())
    return Heard(begun, None, 0)


def end(session: Session, lease: Lease, status: RunStatus, reason: str | None = None) -> None:
    """Write how the attempt ended and give the lease up. Raises LeaseLost."""
    finish(session, leased_run(session, lease), status, reason)


def give_back(session: Session, lease: Lease) -> None:
    """End an attempt that was stopped: the run is cancelled or paused where that was asked, else queued again.

    No attempt was lost. Raises LeaseLost.
    """
    _stopped(session, leased_run(session, lease))


def warn(session: Session, lease: Lease, message: str) -> None:
    """Tell those who follow the run of something that it survives. Raises LeaseLost."""
    add_event(session, leased_run(session, lease), "warning", {"message": message})


def lose(session: Session, lease: Lease, reason: str) -> None:
    """As `lose_attempt`, for whoever holds the lease. Raises LeaseLost."""
    lose_attempt(session, leased_run(session, lease), reason)


def lose_attempt(session: Session, run: Run, reason: str) -> None:
    """Queue a run again whose attempt was lost, by a crash or silence; after `max_attempts` losses it fails.

    The transaction holds the row; `reason` is a sentence without its full stop.
    """
    run.lost_attempts += 1
    add_event(session, run, "warning", {"message": f"attempt {run.attempt} was lost: {reason}"})
    asked_to_stop = run.cancel_requested_at is not None or run.pause_requested_at is not None
    if run.lost_attempts >= settings().max_attempts and not asked_to_stop:
        finish(session, run, RunStatus.FAILED, f"{reason}. {run.lost_attempts} attempts were lost.")
    else:
        _stopped(session, run)


def wake_queued(session: Session) -> None:
    """Send the message of every queued run once more: a broker may have lost it, and a second one does no harm."""
    waiting = select(Run.id, Run.device).where(Run.status == RunStatus.QUEUED).order_by(Run.id)
    for run_id, device in session.execute(waiting):
        queue.enqueue_run(session, run_id, device)


def _stopped(session: Session, run: Run) -> None:
    if run.cancel_requested_at is not None:
        finish(session, run, RunStatus.CANCELLED, None)
    elif run.pause_requested_at is not None:
        pause(session, run)
    else:
        queue_again(session, run)
