"""Watches over one trainer: a process of its own, so that what it holds of a GPU goes back when it ends."""

import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextvars import copy_context
from enum import StrEnum
from functools import partial
from threading import Thread

from sqlalchemy.exc import SQLAlchemyError

from backend.db import patiently, session_scope
from backend.errors import LeaseLost
from backend.run_states import RunCommand
from backend.services import leases
from backend.services.leases import Lease
from backend.settings import settings
from worker.machine import VISIBLE
from worker.priority import give_way
from worker.run_log import keep_log
from worker.signs_of_life import Listener

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
HEARTBEAT_SECONDS = 2.0
STARTING_SECONDS = 0.5
"""Between two heartbeats while the trainer imports torch and does not ask by itself whether it is to stop."""
TERMINATE_AFTER_SECONDS = 5.0
KILL_AFTER_SECONDS = 10.0
GRACE_SECONDS = 4.0
STOP_SECONDS = 5.0
"""So long a worker that has to go tries to give its run back; then it is left to be found silent."""

WAITING = {"OMP_WAIT_POLICY": "passive"}
"""Torch's threads sleep while they wait for one another: if they spin, the thread that measures lacks a core."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)

shutting_down = multiprocessing.Event()
"""Set by Celery's main process, seen by the process of its pool in which a run is supervised."""


class Ended(StrEnum):
    """Why a supervisor no longer watches its trainer."""

    ITSELF = "it ended by itself"
    FENCED = "the run belongs to another attempt, or has ended"
    CANCELLED = "it did not end when the run was cancelled"
    UNBEGUN = "the run was cancelled or paused before it had begun"
    SILENT = "it gave no sign of life any more"
    STOPPING = "this worker has to go"


def supervise(lease: Lease, gpus: Sequence[str] = (), devices: int = 1) -> None:
    """Start the trainer of a claimed run and stay with it to the end; if it cannot write that end, write it here.

    The trainer sees these GPUs alone; none leaves the choice to CUDA.
    """
    signs = Listener()
    with subprocess.Popen(
        _command(lease, signs.descriptor, devices),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=WAITING | os.environ | ({VISIBLE: ",".join(gpus)} if gpus else {}),
        start_new_session=True,
        pass_fds=[signs.descriptor],
        preexec_fn=partial(_prepare, os.getpid()),
    ) as trainer:
        os.close(signs.descriptor)
        keeper = Thread(target=copy_context().run, args=(keep_log, lease, trainer.stdout), daemon=True)
        keeper.start()
        try:
            ended = _watch(lease, trainer, signs)
        except BaseException:
            # This process is being ended: SystemExit, raised by the signal handler of Celery's pool.
            _end(trainer)
            _write_end(lease, Ended.STOPPING, None)
            raise
        _end(trainer)
        keeper.join(timeout=10)
    signs.close()
    if ended is not Ended.FENCED:
        _write_end(lease, ended, trainer.returncode)


def _command(lease: Lease, signs: int, devices: int) -> list[str]:
    """One trainer, or the launcher of as many processes as the run has devices."""
    if devices == 1:
        return [sys.executable, "-u", "-m", "worker.start", "worker.trainer", *map(str, lease), str(signs)]
    return [sys.executable, "-u", "-m", "worker.start", "worker.launcher", *map(str, lease), str(signs), str(devices)]


def _prepare(supervisor: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    # The kernel ends the trainer when its supervisor is gone, however it went.
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != supervisor:
            os._exit(1)
    give_way()
    # Celery's pool ignores SIGTERM, and the trainer would inherit that; it lets it in once it can give its run back.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _watch(lease: Lease, trainer: subprocess.Popen[str], signs: Listener) -> Ended:
    """Return when the trainer has ended, when it may no longer write, or when it or this worker has to go."""
    main = os.getppid()
    next_heartbeat = time.monotonic()
    begun = False
    while True:
        try:
            trainer.wait(timeout=LOOK_SECONDS)
            return Ended.ITSELF
        except subprocess.TimeoutExpired:
            pass
        if shutting_down.is_set() or os.getppid() != main:
            return Ended.STOPPING
        if signs.silent_for_longer_than(settings().lease_silent_seconds):
            return Ended.SILENT
        if time.monotonic() < next_heartbeat:
            continue
        next_heartbeat = time.monotonic() + (HEARTBEAT_SECONDS if begun else STARTING_SECONDS)
        try:
            with session_scope() as session:
                begun, command, seconds = leases.heartbeat(session, lease)
        except LeaseLost:
            return Ended.FENCED
        except SQLAlchemyError as error:
            # The lease stays ours unless somebody takes it; whoever might waits until we could have been heard.
            log.warning("the database does not answer: %s", error)
            continue
        if command is not None and not begun:
            return Ended.UNBEGUN
        if command is RunCommand.CANCEL:
            if seconds > TERMINATE_AFTER_SECONDS:
                trainer.terminate()
            if seconds > KILL_AFTER_SECONDS:
                return Ended.CANCELLED


def _end(trainer: subprocess.Popen[str]) -> None:
    """End the trainer, which gives its run back if it can, and whatever it started."""
    trainer.terminate()
    try:
        trainer.wait(timeout=GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("trainer %s does not end by itself and is killed", trainer.pid)
    try:
        os.killpg(trainer.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    trainer.wait()


def _write_end(lease: Lease, ended: Ended, code: int | None) -> None:
    """Of a trainer that left its run without one; one that wrote it has given up the lease, and this does nothing."""
    stopping = ended in (Ended.STOPPING, Ended.UNBEGUN) or code == -signal.SIGTERM

    def write() -> None:
        with session_scope() as session:
            if stopping:
                leases.give_back(session, lease)
            else:
                leases.lose(session, lease, _reason(ended, code))

    try:
        patiently(write, STOP_SECONDS if stopping else settings().database_patience_seconds)
    except LeaseLost:
        return
    except SQLAlchemyError as error:
        log.error("the end of run %s is not written, it will be found silent: %s", lease.run_id, error)


def _reason(ended: Ended, code: int | None) -> str:
    if ended is Ended.SILENT:
        return f"The trainer gave no sign of life for {settings().lease_silent_seconds:g} s and was killed"
    if code == -signal.SIGKILL:
        return "The trainer was killed from outside; most often the machine had no memory left"
    if code is not None and code < 0:
        return f"The trainer was ended by signal {signal.Signals(-code).name}; its log may say why"
    return f"The trainer ended with exit code {code}; its log may say why"
