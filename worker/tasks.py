"""The one Celery task, and the signs of life that a worker gives."""

import logging
import os
from datetime import datetime
from functools import lru_cache

import pynvml
from celery import shared_task, signals
from celery.app.task import Task
from sqlalchemy.exc import SQLAlchemyError

from backend.db import engine, session_scope
from backend.models import now
from backend.queue import TRAIN
from backend.services import leases, workers
from worker.supervisor import shutting_down, supervise

log = logging.getLogger(__name__)


@shared_task(name=TRAIN, bind=True)
def train(self: Task, run_id: int) -> None:
    """Train one run to its end. A message that comes twice, or too late, finds the row claimed and does nothing."""
    if shutting_down.is_set():
        # This worker takes nothing new; it wakes another one for the run when it has ceased to listen.
        return
    with session_scope() as session:
        lease = leases.claim(session, run_id, self.request.hostname or "unknown")
    if lease is None:
        log.info("run %s is not waiting any more", run_id)
        return
    supervise(lease)


@signals.worker_process_init.connect
def _fresh_connections(**_: object) -> None:
    # A connection that was opened before the fork would be shared with the parent.
    engine().dispose(close=False)


@signals.heartbeat_sent.connect
def _report(sender: object, **_: object) -> None:
    """Celery's main process sends one every two seconds, as long as its broker answers."""
    name = str(sender.eventer.hostname)  # type: ignore[attr-defined]
    try:
        with session_scope() as session:
            workers.report_worker(session, name, _device(), _started_at())
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


@lru_cache
def _device() -> str:
    """The GPUs by name, or the CPU. Not from torch, which takes seconds to import and belongs to the trainer."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return f"CPU, {os.cpu_count()} cores"
    handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
    return ", ".join(pynvml.nvmlDeviceGetName(handle) for handle in handles)
