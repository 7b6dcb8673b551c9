"""Child processes that end when we end: each in a session of its own, with a log file, and never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

STOP_SECONDS = 7.5
KILL_SECONDS = 1.5
_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.05
_libc = ctypes.CDLL(None)


class Child(NamedTuple):
    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def last_lines(self, count: int = 15) -> str:
        with self.log.open(errors="replace") as file:
            return "".join(deque(file, count)).rstrip()

    def how_it_ended(self) -> str:
        code = self.process.returncode
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def start(name: str, arguments: list[str], log: Path) -> Child:
    """Run `pathscope <arguments>` with its output in the log file; that of the start before is kept as `.1`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli", "--traceback", *arguments],  # -P: no `cli` of the current folder
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATHSCOPE_LOG_FORMAT": "text"} | os.environ,  # a person reads these logs
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
    return Child(name, process, log)


def _end_with_parent() -> None:
    # Even where we are killed with no chance to stop our children. Other systems than Linux have no such call.
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def stop(children: list[Child]) -> None:
    """End the children and all that they started: asked first, killed after STOP_SECONDS, all gone soon after."""
    family = {pid: begun for child in children for pid, begun in _descendants(child.process.pid).items()}
    for child in children:
        # To the leader alone: it knows in which order to end what it started.
        child.process.terminate()
    _wait(lambda: all(child.ended for child in children), STOP_SECONDS)
    for child in children:
        _signal_group(child, signal.SIGKILL)
        child.process.wait()
    if not _wait(lambda: not any(_is(pid, begun) for pid, begun in family.items()), KILL_SECONDS):
        for pid in [pid for pid, begun in family.items() if _is(pid, begun)]:
            os.kill(pid, signal.SIGKILL)


def _signal_group(child: Child, number: signal.Signals) -> None:
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _descendants(ancestor: int) -> dict[int, str]:
    """Every living process below `ancestor`, with when it began: a trainer has a session of its own."""
    table = {pid: entry for pid in _pids() if (entry := _status(pid)) is not None}
    found: dict[int, str] = {}
    parents = {ancestor}
    while parents:
        children = {pid for pid, entry in table.items() if entry.parent in parents and pid not in found}
        found |= {pid: table[pid].begun for pid in children}
        parents = children
    return found


class _Entry(NamedTuple):
    parent: int
    begun: str


def _pids() -> list[int]:
    proc = Path("/proc")
    return [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()] if proc.is_dir() else []


def _status(pid: int) -> _Entry | None:
    """None for a process that has ended, a zombie among them."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field, the program's name, is in brackets and may itself hold spaces and brackets.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else _Entry(int(fields[1]), fields[19])


def _is(pid: int, begun: str) -> bool:
    entry = _status(pid)
    return entry is not None and entry.begun == begun
