"""Starts a worker anew that no longer hears its broker: messages wait, it has nothing to do, and takes none.

Celery's loop is known to fall silent after a broker was reset, while the process and its connections look well.
"""

import logging
import os
import sys
from threading import Thread
from time import monotonic, sleep

from billiard.process import active_children
from celery.worker import state

from backend import queue
from backend.settings import settings
from worker.machine import machine
from worker.supervisor import shutting_down

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
DEAF_SECONDS = 30.0


class Watchdog:
    """Looks at this worker from within Celery's main process."""

    def __init__(self) -> None:
        self._taken = 0
        self._idle_since: float | None = None

    def deaf(self) -> bool:
        """Whether messages have waited for DEAF_SECONDS while this worker was idle and took none."""
        taken = sum(state.total_count.values())
        idle = taken == self._taken and not state.reserved_requests and not shutting_down.is_set()
        self._taken = taken
        if not idle or not any(queue.waiting_messages(device) for device in machine().devices):
            self._idle_since = None
            return False
        self._idle_since = self._idle_since or monotonic()
        return monotonic() - self._idle_since > DEAF_SECONDS


def start() -> None:
    """Watch from now on; message files cannot fall silent."""
    if settings().broker_kind == "filesystem":
        return
    Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    watchdog = Watchdog()
    while not watchdog.deaf():
        sleep(LOOK_SECONDS)
    log.critical("this worker no longer hears its broker and is started anew")
    for child in active_children():
        child.terminate()
        child.join(2)
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606
