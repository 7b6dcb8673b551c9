"""Watches over one trainer: a process of its own, so that what it holds of a GPU goes back when it ends."""

import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

from sqlalchemy.exc import SQLAlchemyError

from backend.db import read_scope, session_scope
from backend.errors import LeaseLost
from backend.schemas import RunStatus
from backend.services import events, leases
from backend.services.leases import Lease

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
HEARTBEAT_SECONDS = 2.0
LOG_SECONDS = 0.5
TERMINATE_AFTER_SECONDS = 5.0
KILL_AFTER_SECONDS = 10.0
GRACE_SECONDS = 4.0
NICE = 5

WAITING = {"OMP_WAIT_POLICY": "passive"}
"""Torch's threads sleep while they wait for one another: if they spin, the thread that measures lacks a core."""

shutting_down = multiprocessing.Event()
"""Set by Celery's main process, seen by the process of its pool in which a run is supervised."""


def supervise(lease: Lease) -> None:
    """Start the trainer of a claimed run and stay with it to the end; if it cannot write that end, write it here."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "worker.trainer", str(lease.run_id), lease.token],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=WAITING | os.environ,
        start_new_session=True,
        preexec_fn=_prepare,
    ) as trainer:
        keeper = Thread(target=_keep_log, args=(lease.run_id, trainer.stdout), daemon=True)
        keeper.start()
        try:
            _watch(lease, trainer)
        except BaseException:
            # This process is being ended: SystemExit, raised by the signal handler of Celery's pool.
            _end(trainer)
            _give_back(lease)
            raise
        _end(trainer)
        keeper.join(timeout=10)
    if trainer.returncode != 0:
        _write_end(lease, trainer.returncode)


def _prepare() -> None:
    # Server and browser on the same machine come first; where they are idle, this costs nothing.
    os.nice(NICE)
    # Celery's pool ignores SIGTERM and the trainer would inherit that, until it has been imported and sets a handler.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _give_back(lease: Lease) -> None:
    """Queue the run again, where a trainer that had hardly begun has not done so itself."""
    try:
        with session_scope() as session:
            leases.give_back(session, lease)
    except LeaseLost:
        return


def _watch(lease: Lease, trainer: subprocess.Popen[str]) -> None:
    """Return when the trainer has ended, when it may no longer write, or when this worker shuts down."""
    next_heartbeat = time.monotonic()
    while True:
        try:
            trainer.wait(timeout=LOOK_SECONDS)
            return
        except subprocess.TimeoutExpired:
            pass
        if shutting_down.is_set():
            return
        if time.monotonic() < next_heartbeat:
            continue
        next_heartbeat += HEARTBEAT_SECONDS
        try:
            with session_scope() as session:
                since_cancel = leases.heartbeat(session, lease)
        except LeaseLost:
            # The trainer has written its end and is on its way out, or it must go.
            return
        except SQLAlchemyError as error:
            log.warning("the database does not answer: %s", error)
            continue
        if since_cancel is not None and since_cancel > TERMINATE_AFTER_SECONDS:
            trainer.terminate()
        if since_cancel is not None and since_cancel > KILL_AFTER_SECONDS:
            return


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


def _write_end(lease: Lease, code: int) -> None:
    """A trainer that ended with 0 wrote its own end; of any other only the code is known, or the signal."""
    try:
        with session_scope() as session:
            if leases.heartbeat(session, lease) is not None:
                leases.end(session, lease, RunStatus.CANCELLED)
            elif code == -signal.SIGTERM:
                # It was told to stop before it could give the run back itself.
                leases.give_back(session, lease)
            else:
                leases.end(session, lease, RunStatus.FAILED, _reason(code))
    except LeaseLost:
        return


def _reason(code: int) -> str:
    if code == -signal.SIGKILL:
        return "The trainer was killed from outside; most often the machine had no memory left"
    if code < 0:
        return f"The trainer was ended by signal {signal.Signals(-code).name}; its log may say why"
    return f"The trainer ended with exit code {code}; its log may say why"


def _keep_log(run_id: int, output: IO[str]) -> None:
    """Store what the trainer prints, in batches, until it closes its output."""
    lines: SimpleQueue[str | None] = SimpleQueue()
    Thread(target=_read_lines, args=(output, lines), daemon=True).start()
    with read_scope() as session:
        number = 1 + events.last_log_line(session, run_id)
    while True:
        batch = [lines.get()]
        time.sleep(LOG_SECONDS)
        while True:
            try:
                batch.append(lines.get_nowait())
            except Empty:
                break
        texts = [line for line in batch if line is not None]
        number += _store(run_id, number, texts)
        if None in batch:
            return


def _read_lines(output: IO[str], lines: SimpleQueue[str | None]) -> None:
    for line in output:
        lines.put(line.rstrip("\n").replace("\0", ""))
    lines.put(None)


def _store(run_id: int, first: int, lines: list[str]) -> int:
    """How many lines were stored: all, or none where the run is gone or the database away."""
    try:
        with session_scope() as session:
            events.add_log_lines(session, run_id, first, lines)
    except SQLAlchemyError as error:
        log.warning("log lines of run %s are lost: %s", run_id, error)
        return 0
    return len(lines)
