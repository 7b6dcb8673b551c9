"""One server and its workers as processes, and what the database says of their runs."""

import hashlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from backend import artifacts, db
from backend.models import Answer, Event, LayerArray, LayerSummary, Projection, Recording, Run, RunRatio
from backend.schemas import RunStatus
from tests.servers import Process, answers, eventually, free_port

SPEC = {
    "net": "mlp",
    "dataset": "digits",
    "epochs": 57,
    "probe": {"count": 32},
    "recordings": {"every_epochs": 3},
    "quantities": ["path", "activation", "projection"],
    "device": "cpu",
}
NOT_VALUES = {"run_id", "attempt", "seconds", "created_at"}
"""Columns that tell when and by whom, not what."""


class Values(NamedTuple):
    """Digests of what is stored: of each recording, and of the ratios that follow from all of them."""

    recordings: dict[int, str]
    ratios: str


class Tree(NamedTuple):
    """The processes that train a run: Celery's main process, that of its pool, the trainer."""

    main: int
    child: int
    trainer: int


class Laboratory:
    """Processes are started again as a service manager would; the environment names their servers."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api: Process | None = None
        self.workers: dict[str, Process] = {}

    def start_api(self) -> float:
        """Seconds until it answers."""
        began = time.monotonic()
        self.api = Process("serve", "--port", str(self.port), log=self.home / "server.log")
        eventually(lambda: answers(self.url), "an answer of the server")
        return time.monotonic() - began

    def start_worker(self, name: str = "one") -> None:
        self.workers[name] = Process("worker", "--name", f"{name}@lab", log=self.home / f"worker-{name}.log")

    def restart_worker(self, main: int) -> None:
        """Start the worker again whose main process was killed."""
        name = next(name for name, worker in self.workers.items() if worker.process.pid == main)
        self.workers[name].process.wait()
        self.start_worker(name)

    def kill_api(self) -> None:
        assert self.api is not None
        self.api.process.kill()
        self.api.process.wait()

    def stop_workers(self) -> None:
        for worker in self.workers.values():
            worker.stop()
        self.workers.clear()

    def close(self) -> None:
        self.stop_workers()
        if self.api is not None:
            self.api.stop()

    def submit(self, **changes: object) -> int:
        answer = httpx.post(f"{self.url}/api/v1/runs", json=SPEC | changes, timeout=30)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def command(self, run_id: int, command: str) -> None:
        """Cancel or retry."""
        httpx.post(f"{self.url}/api/v1/runs/{run_id}/{command}", timeout=30).raise_for_status()

    def run(self, run_id: int) -> Run:
        with Session(db.engine()) as session:
            return session.get_one(Run, run_id)

    def wait_for(self, run_id: int, *statuses: RunStatus, attempt: int = 0, seconds: float = 180) -> Run:
        def look() -> Run | None:
            run = self.run(run_id)
            return run if run.status in statuses and run.attempt >= attempt else None

        return eventually(look, f"run {run_id} {statuses}, attempt {attempt}", seconds)

    def wait_for_recording(self, run_id: int, t: int, seconds: float = 120) -> None:
        eventually(lambda: (self.run(run_id).last_recording or -1) >= t, f"recording {t} of run {run_id}", seconds)

    def tree(self, run_id: int, seconds: float = 60) -> Tree:
        """The processes of the newest attempt at the run."""
        return eventually(lambda: self.tree_now(run_id), f"a trainer of run {run_id}", seconds)

    def tree_now(self, run_id: int) -> Tree | None:
        token = self.run(run_id).lease
        found = [pid for pid, arguments in self.processes().items() if token in arguments]
        if token is None or not found:
            return None
        child = parent(found[0])
        main = parent(child) if child > 1 else 0
        return Tree(main, child, found[0]) if main > 1 else None

    def processes(self) -> dict[int, list[str]]:
        """The arguments of every living process that was started with our home."""
        mark = f"PATHSCOPE_HOME={self.home}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    ours = mark in (entry / "environ").read_bytes().split(b"\0")
                    arguments = (entry / "cmdline").read_text().split("\0")
                except OSError:
                    continue
                if ours:
                    found[int(entry.name)] = arguments
        return found

    def trainers_of(self, run_id: int) -> list[int]:
        return [
            pid
            for pid, arguments in self.processes().items()
            if "worker.trainer" in arguments and arguments[arguments.index("worker.trainer") + 1] == str(run_id)
        ]

    def trainers(self) -> list[int]:
        return [pid for pid, arguments in self.processes().items() if "worker.trainer" in arguments]


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> bool:
    """False where the process had ended by itself."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def values_of(run_id: int) -> Values:
    """Of all that is stored: rows, arrays, summaries, projections, packed paths and ratios."""
    digests: dict[int, Any] = {}
    with Session(db.engine()) as session:
        recordings = session.scalars(select(Recording).where(Recording.run_id == run_id).order_by(Recording.t)).all()
        attempts = {one.t: one.attempt for one in recordings}
        for one in recordings:
            digests[one.t] = hashlib.sha256(_canonical(one))
        for table in (LayerArray, LayerSummary, Projection, Answer):
            order = inspect(table).primary_key
            for row in session.scalars(select(table).where(table.run_id == run_id).order_by(*order)):
                digests[row.t].update(_canonical(row))
        layers = {row.k for row in session.scalars(select(LayerArray).where(LayerArray.run_id == run_id))}
        rows = session.scalars(select(RunRatio).where(RunRatio.run_id == run_id).order_by(RunRatio.quantity))
        ratios = hashlib.sha256(b"".join(map(_canonical, rows)))
    for t, attempt in attempts.items():
        for k in sorted(layers):
            digests[t].update(artifacts.read_paths(run_id, attempt, t, k) or b"missing")
    return Values({t: digest.hexdigest() for t, digest in digests.items()}, ratios.hexdigest())


def _canonical(row: object) -> bytes:
    columns = inspect(type(row)).columns.keys()
    values = {name: getattr(row, name) for name in columns if name not in NOT_VALUES}
    return json.dumps(
        {name: value.hex() if isinstance(value, bytes) else value for name, value in values.items()}
    ).encode()


def told_of(run_id: int) -> list[int]:
    """The recordings in the order of the events that tell of them."""
    query = select(Event.data).where(Event.run_id == run_id, Event.kind == "recording").order_by(Event.number)
    with Session(db.engine()) as session:
        return [int(data["t"]) for data in session.scalars(query)]


def events_of(run_id: int, kind: str) -> list[dict[str, Any]]:
    query = select(Event.data).where(Event.run_id == run_id, Event.kind == kind).order_by(Event.number)
    with Session(db.engine()) as session:
        return list(session.scalars(query))


def leases_held() -> list[int]:
    """The runs that have ended, or wait, and are held by an attempt all the same."""
    query = select(Run.id).where(Run.lease.is_not(None), Run.status != RunStatus.RUNNING)
    with Session(db.engine()) as session:
        return list(session.scalars(query))
