"""A real server and a real worker as processes, on the database and broker that the environment names."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx2 as httpx

ROOT = Path(__file__).parent.parent
Found = TypeVar("Found")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def eventually(look: Callable[[], Found], what: str, seconds: float = 150) -> Found:
    """What `look` returns as soon as that is true; a failure that names `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come within {seconds} s; at last: {found!r}")


class Process:
    """`pathscope <arguments>`, or another module of the command line, with the environment of the test."""

    def __init__(self, *arguments: str, log: Path, module: str = "cli", **environment: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                # One thread: several processes with a thread for each core wait for one another most of the time.
                env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30) -> int:
        """Send the signal and wait; the exit code. A process that stays is killed, and that fails the test."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


@contextmanager
def serving(folder: Path, port: int | None = None) -> Iterator[str]:
    """A server on this port, or a free one; its address."""
    port = port or free_port()
    server = Process("serve", "--port", str(port), log=folder / "server.log")
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: answers(url), f"an answer of the server ({server.log.read_text()})")
        yield url
    finally:
        server.stop()


@contextmanager
def working(folder: Path) -> Iterator[Process]:
    """A worker."""
    worker = Process("worker", log=folder / "worker.log")
    try:
        yield worker
    finally:
        worker.stop()


def answers(url: str) -> bool:
    try:
        return httpx.get(url + "/healthz").status_code == 200
    except httpx.TransportError:
        return False
