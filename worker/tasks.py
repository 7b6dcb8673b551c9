"""The one Celery task, and the signs of life that a worker gives."""

import logging
from datetime import datetime
from functools import lru_cache

import structlog
from billiard.process import current_process
from celery import shared_task, signals
from celery.app.task import Task
from sqlalchemy.exc import SQLAlchemyError

from backend.db import engine, patiently, session_scope
from backend.models import now
from backend.queue import TRAIN
from backend.services import leases, workers
from backend.services.leases import Lease
from worker import watchdog
from worker.machine import gpus, load, machine
from worker.supervisor import shutting_down, supervise

log = logging.getLogger(__name__)

CLAIM_SECONDS = 60.0
"""So long the database may be away; then the server sends the message once more when it is back."""


@shared_task(name=TRAIN, bind=True)
def train(self: Task, run_id: int) -> None:
    """Train the run that comes first to its end. A message that comes twice, or too late, does no harm.

    The message says that run `run_id` waits; another one may come before it, then that one is trained.
    """
    if shutting_down.is_set():
        # This worker takes nothing new; it wakes another one for the run when it has ceased to listen.
        return
    claimed = patiently(lambda: _claim(run_id, self.request.hostname or "unknown"), CLAIM_SECONDS)
    if claimed is None:
        log.info("run %s is not waiting any more, nor is another one", run_id)
        return
    lease, devices = claimed
    with structlog.contextvars.bound_contextvars(run=lease.run_id, attempt=lease.attempt):
        log.info("run %s begins its attempt %s", lease.run_id, lease.attempt)
        supervise(lease, _gpus(devices), devices)
        log.info("the trainer of run %s has ended", lease.run_id)


def _gpus(count: int) -> tuple[str, ...]:
    """That of this process of Celery's pool, which has one process for each GPU, and those after it, up to so many.

    A run on several GPUs shares them with the runs of the other processes; it is given only to a worker that has as
    many (`Machine.trainable`).
    """
    first = current_process().index % len(gpus()) if gpus() else 0
    return (gpus()[first:] + gpus()[:first])[:count]


def _claim(run_id: int, worker: str) -> tuple[Lease, int] | None:
    """The lease of a run, and how many devices it takes."""
    with session_scope() as session:
        lease = leases.claim_next(session, run_id, worker, machine())
        return (lease, leases.spec_of(session, lease).devices) if lease else None


@signals.worker_process_init.connect
def _fresh_connections(**_: object) -> None:
    # A connection that was opened before the fork would be shared with the parent.
    engine().dispose(close=False)


@signals.worker_ready.connect
def _watch_over_the_consumer(**_: object) -> None:
    watchdog.start()


@signals.heartbeat_sent.connect
def _report(sender: object, **_: object) -> None:
    """Celery's main process sends one every two seconds, as long as its broker answers."""
    name = str(sender.eventer.hostname)  # type: ignore[attr-defined]
    try:
        with session_scope() as session:
            workers.report_worker(session, name, machine(), load(), _started_at())
    except SQLAlchemyError as error:
        log.warning("the database does not answer: %s", error)


@signals.worker_shutting_down.connect
def _end_run(**_: object) -> None:
    # Celery waits for a task that runs; this one ends within seconds, and its run goes back to the queue.
    shutting_down.set()


@signals.worker_shutdown.connect
def _say_good_bye(sender: object, **_: object) -> None:
    try:
        with session_scope() as session:
            leases.wake_queued(session)
            workers.forget_worker(session, str(sender.hostname))  # type: ignore[attr-defined]
    except SQLAlchemyError as error:
        log.warning("the database does not answer: %s", error)


@lru_cache
def _started_at() -> datetime:
    return now()
