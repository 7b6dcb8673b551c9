"""The Celery app and the one message that is ever sent: "run N waits". The row in the database is the truth."""

import logging
from functools import lru_cache, partial

from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy.orm import Session

from backend.db import on_commit
from backend.settings import settings

log = logging.getLogger(__name__)

TRAIN = "pathscope.train"
_DAYS = 30 * 24 * 3600


@lru_cache
def celery_app() -> Celery:
    """The Celery app of this process. Tasks are found by the worker, which imports `worker.tasks`."""
    app = Celery("pathscope", broker=settings().broker, set_as_current=True)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=settings().broker_kind.startswith("redis"),
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport_options(),
        task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2},
    )
    return app


def _transport_options() -> dict[str, object]:
    if settings().broker_kind != "filesystem":
        # Redis delivers a message again after this time; the claim would refuse it, but it should not even come.
        return {"visibility_timeout": _DAYS, "socket_connect_timeout": 5, "socket_keepalive": True}
    folders = {name: settings().message_folder / name for name in ("queue", "control")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folders["queue"]),
        "data_folder_out": str(folders["queue"]),
        "control_folder": str(folders["control"]),
        "polling_interval": 0.2,
    }


def enqueue_run(session: Session, run_id: int) -> None:
    """Wake a worker for this run once the transaction stands. Where the broker is away, the run stays queued."""
    on_commit(session, partial(send_run, run_id))


def send_run(run_id: int) -> bool:
    """Send the message now; False where the broker does not take it."""
    try:
        celery_app().send_task(TRAIN, args=[run_id])
    except (OperationalError, OSError) as error:
        log.warning("run %s stays queued, the broker does not answer: %s", run_id, error)
        return False
    return True


def broker_answers() -> bool:
    try:
        with celery_app().connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError):
        return False
    return True
