"""The two processes of a server, each in the process that called."""

from cli import checks
from cli.console import say

_GRACE_SECONDS = 2


def serve(host: str, port: int) -> None:
    """API and dashboard until a signal ends them."""
    import uvicorn

    checks.check_home()
    checks.check_database()
    checks.check_migrated()
    listener = checks.listening_socket(host, port)
    config = uvicorn.Config(
        "frontend.app:create_app",
        factory=True,
        access_log=False,
        # Event streams and sockets of open pages never end by themselves.
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    say(f"Listening on {host}, port {port}")
    uvicorn.Server(config).run(sockets=[listener])


def work(name: str | None) -> None:
    """Train queued runs, one at a time, until a signal ends it; the run at work then goes back to the queue.

    On SIGTERM Celery waits for the task at work, which ends its trainer and returns: see `worker.supervisor`.
    """
    checks.check_home()
    checks.check_database()
    checks.check_migrated()
    checks.check_broker()
    from backend.queue import celery_app
    from worker import tasks  # noqa: F401

    celery_app().worker_main(
        [
            "worker",
            "--pool=prefork",
            "--concurrency=1",
            "--without-gossip",
            "--without-mingle",
            f"--hostname={name or 'pathscope@%h'}",
            "--loglevel=INFO",
        ]
    )
