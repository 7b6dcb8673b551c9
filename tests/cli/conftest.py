import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.conftest import forget_settings

Command = Callable[..., "subprocess.CompletedProcess[str]"]
ARGV = [sys.executable, "-P", "-m", "cli"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of(home: Path) -> list[int]:
    """Every living process that was started with this PATHSCOPE_HOME, except the tests themselves."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"PATHSCOPE_HOME={home}".encode() in variables:
                found.append(int(entry.name))
    return found


@pytest.fixture
def port(home: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A port that nobody listens on, and that the command line takes."""
    number = free_port()
    monkeypatch.setenv("PORT", str(number))
    forget_settings()
    return number


@pytest.fixture
def pathscope(port: int) -> Command:
    """Runs `pathscope` to its end, in a process of its own, with the environment that stands then."""

    def run(*arguments: str, stdin: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*ARGV, *arguments], input=stdin, capture_output=True, text=True, timeout=120, env=os.environ | variables
        )

    return run


@pytest.fixture
def server(home: Path, port: int) -> Iterator[str]:
    """A server with no worker; its address."""
    url = f"http://127.0.0.1:{port}"
    with (home / "server.log").open("w") as log, subprocess.Popen([*ARGV, "serve"], stdout=log, stderr=log) as process:
        try:
            for _ in range(300):
                assert process.poll() is None, (home / "server.log").read_text()
                try:
                    httpx.get(f"{url}/healthz")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=15)
