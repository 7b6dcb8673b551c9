"""The two processes of a server, each in the process that called."""

import logging
import socket

from backend.settings import settings
from cli import checks
from cli.console import CliError, say, without_password

log = logging.getLogger(__name__)

_GRACE_SECONDS = 2


def serve(host: str, port: int) -> None:
    """API and dashboard until a signal ends them."""
    import uvicorn

    from backend import logs

    logs.configure()
    checks.check_home()
    checks.check_database()
    checks.check_migrated()
    checks.check_access(host)
    if not checks.broker_answers():
        # Runs can be looked at and submitted all the same.
        log.warning("the broker %s does not answer; runs wait until it does", without_password(settings().broker))
    listener = checks.listening_socket(host, port)
    config = uvicorn.Config(
        "frontend.app:create_app",
        factory=True,
        log_config=None,
        access_log=False,
        server_header=False,
        # Event streams and sockets of open pages never end by themselves.
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    log.info("listening on %s, port %s", host, port)
    uvicorn.Server(config).run(sockets=[listener])


def work(name: str | None) -> None:
    """Train queued runs until a signal ends it, one at a time on each GPU or on the CPU.

    Those at work then go back to the queue.
    On SIGTERM Celery waits for the tasks, which end their trainers and return: see `worker.supervisor`.
    """
    from backend import logs

    logs.configure()
    checks.check_trains()
    checks.check_home()
    checks.check_database()
    checks.check_migrated()
    checks.check_broker()
    from celery.signals import setup_logging

    from backend.queue import celery_app, queues_of
    from worker import tasks  # noqa: F401
    from worker.machine import machine

    # Celery would set logging up by itself, unless somebody listens to this signal.
    setup_logging.connect(lambda **_: logs.configure(), weak=False)

    celery_app().worker_main(
        [
            "--quiet",
            "worker",
            "--pool=prefork",
            f"--concurrency={machine().slots}",
            f"--queues={','.join(queues_of(machine().devices))}",
            "--without-gossip",
            "--without-mingle",
            f"--hostname={_worker_name(name)}",
            "--loglevel=INFO",
        ]
    )


def check_alive(name: str | None) -> None:
    """Raises CliError unless the worker that bears this name has been heard of lately."""
    checks.check_database()
    from backend.db import read_scope
    from backend.services.workers import list_workers

    wanted = _worker_name(name)
    with read_scope() as session:
        alive = [worker.name for worker in list_workers(session) if worker.alive]
    if wanted not in alive:
        raise CliError(f"no worker {wanted} is alive; alive are: {', '.join(alive) or 'none'}")
    say(f"The worker {wanted} is alive.")


def _worker_name(name: str | None) -> str:
    """Workers of all machines differ: a name alone is completed by that of the machine."""
    name = name or "pathscope"
    return name if "@" in name else f"{name}@{socket.gethostname()}"
