import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.cli.conftest import ARGV, processes_of

LONG_RUN = {"net": "mlp", "dataset": "digits", "epochs": 5000}


def wait_for(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not after {seconds} s"
        time.sleep(0.1)


@contextmanager
def started(home: Path, port: int, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """`pathscope up`, ready; killed with all that it started if a test leaves it running."""
    with subprocess.Popen(
        [*ARGV, "up", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            _read_until_ready(process, port)
            yield process
        finally:
            process.kill()
            for left in processes_of(home):
                os.kill(left, signal.SIGKILL)


def _read_until_ready(process: "subprocess.Popen[str]", port: int) -> None:
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if line == f"Pathscope is ready at http://127.0.0.1:{port}\n":
            return
    raise AssertionError("".join(printed))


def test_up_when_it_is_stopped_and_started_again(home: Path, port: int) -> None:
    api = f"http://127.0.0.1:{port}/api/v1"
    with started(home, port) as process:
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        demo = httpx.get(f"{api}/runs").json()["runs"]
        assert [run["name"] for run in demo] == ["Demo: AlexNet on digits"]
        wait_for(lambda: httpx.get(f"{api}/runs/1").json()["status"] == "running", 20)
        _stop(process, home, signal.SIGINT)

    with started(home, port) as process:
        assert len(httpx.get(f"{api}/runs").json()["runs"]) == 1, "the demo run is submitted once"
        wait_for(lambda: (httpx.get(f"{api}/runs/1").json()["last"] or {}).get("t", 0) > 0, 60)
        _stop(process, home, signal.SIGTERM)


def test_up_when_it_is_stopped_amid_a_run(home: Path, port: int) -> None:
    api = f"http://127.0.0.1:{port}/api/v1"
    with started(home, port, "--no-demo") as process:
        assert httpx.get(f"{api}/runs").json()["runs"] == []
        httpx.post(f"{api}/runs", json=LONG_RUN).raise_for_status()
        wait_for(lambda: httpx.get(f"{api}/runs/1").json()["last"] is not None, 60)
        _stop(process, home, signal.SIGTERM)

    with started(home, port):
        run = httpx.get(f"{api}/runs/1").json()
        assert run["status"] in ("queued", "running"), "given back, not left to a lease that has to run out"
        httpx.post(f"{api}/runs/1/cancel").raise_for_status()


def _stop(process: "subprocess.Popen[str]", home: Path, number: signal.Signals) -> None:
    began = time.monotonic()
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - began < 10
    assert processes_of(home) == []


@pytest.mark.parametrize("child", ["server", "worker"])
def test_up_when_a_child_dies(home: Path, port: int, child: str) -> None:
    with started(home, port, "--no-demo") as process:
        os.kill(_child(process.pid, {"server": "serve", "worker": "worker"}[child]), signal.SIGKILL)
        said, _ = process.communicate(timeout=15)
        log = home / "logs" / f"{child}.log"
        assert said.endswith(f"pathscope: the {child} ended by itself (killed by SIGKILL); its log is {log}\n")
        assert process.returncode == 1
        wait_for(lambda: processes_of(home) == [], 5)


def test_up_when_it_is_killed(home: Path, port: int) -> None:
    with started(home, port, "--no-demo") as process:
        process.kill()
        process.wait()
        wait_for(lambda: processes_of(home) == [], 15)


def _child(parent: int, command: str) -> int:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            status = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(status[1]) == parent and command.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                return int(entry.name)
    raise AssertionError(f"no {command} below {parent}")
