"""How a run comes from one state into another: the only place that writes a run's status, but for the claim."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import queue
from backend.access import require_change
from backend.errors import NotFound
from backend.models import Run, now
from backend.run_states import NEXT, RunStatus
from backend.services import webhooks
from backend.services.events import add_event


def locked_run(session: Session, run_id: int) -> Run:
    """The row, held until the transaction ends. Raises NotFound, and Forbidden where it is somebody else's."""
    run = session.scalar(select(Run).where(Run.id == run_id).with_for_update())
    if run is None:
        raise NotFound(f"there is no run {run_id}")
    require_change(run_id, run.submitted_by)
    return run


def finish(session: Session, run: Run, status: RunStatus, reason: str | None) -> None:
    """Write the end of a run whose row this transaction holds."""
    _change(run, status)
    run.reason, run.finished_at = reason, now()
    run.pause_requested_at = None
    add_event(session, run, "status", {"status": status, "reason": reason})
    webhooks.announce(session, run, status)


def pause(session: Session, run: Run) -> None:
    """Put the run aside; nobody takes it up until it is activated."""
    _change(run, RunStatus.PAUSED)
    run.worker = None
    add_event(session, run, "status", {"status": RunStatus.PAUSED})


def queue_again(session: Session, run: Run) -> None:
    """Put the run back into the queue, asked nothing more, and wake a worker for it after the commit."""
    _change(run, RunStatus.QUEUED)
    run.worker = run.reason = run.finished_at = run.cancel_requested_at = None
    add_event(session, run, "status", {"status": RunStatus.QUEUED, "attempt": run.attempt})
    queue.enqueue_run(session, run.id, run.device)


def _change(run: Run, status: RunStatus) -> None:
    if status not in NEXT[run.status]:
        raise ValueError(f"run {run.id} cannot become {status}, it is {run.status}")
    run.status, run.lease, run.pause_requested_at = status, None, None
