"""The Celery app and the one message that is ever sent: "run N waits". The row in the database is the truth.

There is a queue for each kind of device, and a worker listens to those whose runs it can train. Which run it takes up
when it is woken, the table decides (`services.leases.claim_next`), not the order in which a broker delivers.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache, partial

from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy.orm import Session

from backend.db import on_commit
from backend.schemas import DeviceKind
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
        worker_send_task_events=settings().celery_events,
        worker_enable_remote_control=settings().celery_events,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_retry=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        broker_transport_options=_transport_options(),
        task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2},
    )
    return app


def _transport_options() -> dict[str, object]:
    if settings().broker_kind != "filesystem":
        # Redis delivers a message again after this time; the claim would refuse it, but it should not even come.
        # Half-open connections are noticed within half a minute: by the kernel, by pings, by a limit on each answer.
        return {
            "visibility_timeout": _DAYS,
            "socket_connect_timeout": 5,
            "socket_timeout": 15,
            "socket_keepalive": True,
            "health_check_interval": 10,
        }
    folders = {name: settings().message_folder / name for name in ("queue", "control")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folders["queue"]),
        "data_folder_out": str(folders["queue"]),
        "control_folder": str(folders["control"]),
        "polling_interval": 0.2,
    }


def queues_of(devices: Sequence[DeviceKind]) -> list[str]:
    """The queues in which runs for these kinds of device are told of."""
    return [f"pathscope-{device}" for device in devices]


def enqueue_run(session: Session, run_id: int, device: DeviceKind) -> None:
    """Wake a worker for this run once the transaction stands. Where the broker is away, the run stays queued."""
    on_commit(session, partial(send_run, run_id, device))


def send_run(run_id: int, device: DeviceKind) -> bool:
    """Send the message now; False where the broker does not take it."""
    try:
        celery_app().send_task(TRAIN, args=[run_id], queue=queues_of([device])[0])
    except (OperationalError, OSError) as error:
        log.warning("run %s stays queued, the broker does not answer: %s", run_id, error)
        return False
    return True


def waiting_messages(device: DeviceKind) -> int | None:
    """How many messages of this queue no worker has taken yet; None where the broker does not say."""
    app = celery_app()
    with app.connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=2)
            queue = app.amqp.queues[queues_of([device])[0]].bind(connection.default_channel)
            return int(queue.queue_declare().message_count)
        except (*connection.connection_errors, *connection.channel_errors, OperationalError) as error:
            log.warning("the broker does not answer: %s", error)
            return None


def broker_answers() -> bool:
    try:
        with celery_app().connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError):
        return False
    return True
