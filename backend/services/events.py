"""What happened to a run, in order: written by whoever changes it, read by event streams."""

from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.errors import LeaseLost
from backend.models import Event, LogLine, Run
from backend.schemas import EventOut, LogLineOut


def add_event(
    session: Session, run: Run, kind: Literal["status", "recording", "warning"], data: dict[str, Any]
) -> None:
    """Append to the run's events. The transaction must hold the run's row: that orders them."""
    run.last_event += 1
    session.add(Event(run_id=run.id, number=run.last_event, kind=kind, data=data))


def events_after(session: Session, run_id: int, number: int) -> list[EventOut]:
    """The run's events past `number`, oldest first."""
    rows = session.scalars(select(Event).where(Event.run_id == run_id, Event.number > number).order_by(Event.number))
    return [EventOut.model_validate(row) for row in rows]


def add_log_lines(session: Session, run_id: int, attempt: int, first: int, lines: list[str]) -> None:
    """Store lines first, first + 1, … of the run's log; those that are there already stay.

    Raises LeaseLost where the attempt is not the newest: a trainer may print after its lease has ended, but not beside
    its successor.
    """
    newest = session.scalar(select(Run.attempt).where(Run.id == run_id).with_for_update())
    if newest != attempt:
        raise LeaseLost(f"run {run_id} belongs to another attempt")
    known = max(last_log_line(session, run_id) - first + 1, 0)
    first, lines = first + known, lines[known:]
    session.add_all(LogLine(run_id=run_id, number=first + n, text=line[:4000]) for n, line in enumerate(lines))


def last_log_line(session: Session, run_id: int) -> int:
    """The number of the newest line of the run's log, 0 where there is none."""
    return session.scalar(select(func.max(LogLine.number)).where(LogLine.run_id == run_id)) or 0


def log_lines_after(session: Session, run_id: int, number: int, limit: int = 10_000) -> list[LogLineOut]:
    """At most `limit` lines of the run's log past `number`, oldest first."""
    query = select(LogLine).where(LogLine.run_id == run_id, LogLine.number > number).order_by(LogLine.number)
    return [LogLineOut.model_validate(row) for row in session.scalars(query.limit(limit))]
