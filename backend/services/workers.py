"""Which workers have been heard of, and when last."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.models import Worker, now
from backend.schemas import WorkerOut
from backend.settings import settings


def report_worker(session: Session, name: str, device: str, started_at: datetime) -> None:
    """Say that the worker lives."""
    session.merge(Worker(name=name, device=device, started_at=started_at, heartbeat_at=now()))


def forget_worker(session: Session, name: str) -> None:
    """Say that the worker has ended."""
    session.execute(delete(Worker).where(Worker.name == name))


def list_workers(session: Session) -> list[WorkerOut]:
    """Every worker heard of that did not say good-bye; `alive` is False for those silent for too long."""
    since = now() - timedelta(seconds=settings().worker_silent_seconds)
    return [
        WorkerOut(
            name=worker.name,
            device=worker.device,
            started_at=worker.started_at,
            heartbeat_at=worker.heartbeat_at,
            alive=worker.heartbeat_at >= since,
        )
        for worker in session.scalars(select(Worker).order_by(Worker.name))
    ]


def any_alive(session: Session) -> bool:
    return any(worker.alive for worker in list_workers(session))
