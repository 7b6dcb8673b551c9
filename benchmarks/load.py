"""Many watchers and readers while two runs train, on Postgres and Redis: how late are recordings, how fast are reads?

Reads come at even intervals whether or not those before were answered, and their time counts from when they were due:
a server that stalls is not spared.
"""

import asyncio
import os
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import numpy as np
import orjson
from redis import Redis
from sqlalchemy import create_engine, make_url, text

from tests.servers import Process, eventually, free_port

POSTGRES = os.environ.get("PATHSCOPE_TEST_POSTGRES", "postgresql+psycopg://root@127.0.0.1:5432/postgres")
REDIS = os.environ.get("PATHSCOPE_TEST_REDIS", "redis://127.0.0.1:6379/15")
SPEC = {"net": "alexnet", "dataset": "digits", "epochs": 400, "probe": {"count": 128}}
READS = (
    "/runs?limit=50",
    "/runs/{run}",
    "/runs/{run}/recordings",
    "/runs/{run}/cross-path?layer=2",
    "/runs/{run}/cross-path?layer=3&image=5",
    "/runs/{run}/cross-path?layer=1&recording=1",
    "/runs/{run}/self-similarity?layer=4",
    "/runs/{run}/self-similarity?layer=1&image=7",
    "/runs/{run}/neighbours?layer=5&image=3",
    "/workers",
)


class Seen:
    """What the clients saw."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {read: [] for read in READS}
        self.late: list[float] = []
        self.recordings: dict[tuple[int, int], set[int]] = {}
        self.errors: Counter[str] = Counter()


def bench(seconds: float = 60, watchers: int = 100, reads_per_second: float = 50) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url = started(Path(folder), stack)
        runs = [httpx.post(f"{url}/api/v1/runs", json=SPEC | {"seed": seed}).json()["id"] for seed in (0, 1)]
        for run in runs:
            eventually(lambda: recorded(url, run) >= 2, f"recording 2 of run {run}", 300)  # noqa: B023
        queries = transactions()
        seen = asyncio.run(load(url, runs, seconds, watchers, reads_per_second))
        queries = (transactions() - queries) / seconds
        left = {run: recorded(url, run) for run in runs}
    return result(seen, queries, left, watchers)


def started(folder: Path, stack: ExitStack) -> str:
    """A server and two workers on a database of their own; all are gone when the stack ends."""
    name = f"pathscope_load_{uuid4().hex[:8]}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    stack.callback(drop, name)
    with Redis.from_url(REDIS) as redis:
        redis.flushdb()
    place = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    environment = {"PATHSCOPE_HOME": str(folder), "PATHSCOPE_DATABASE_URL": place, "PATHSCOPE_BROKER_URL": REDIS}
    os.environ.update(environment)
    Process("migrate", log=folder / "migrate.log").process.wait(60)
    port = free_port()
    processes = [Process("serve", "--port", str(port), log=folder / "server.log")]
    processes += [Process("worker", "--name", name, log=folder / f"{name}.log") for name in "ab"]
    for process in processes:
        stack.callback(process.stop)
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: ready(url), "a ready server")
    return url


def drop(name: str) -> None:
    with create_engine(POSTGRES, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def ready(url: str) -> bool:
    try:
        alive = [worker for worker in httpx.get(f"{url}/api/v1/workers").json() if worker["alive"]]
    except httpx.TransportError:
        return False
    return len(alive) == 2


def recorded(url: str, run: int) -> int:
    last = httpx.get(f"{url}/api/v1/runs/{run}").json()["last"]
    return last["t"] if last else -1


def transactions() -> int:
    """How many the database has ended, of all its clients; it counts them with a delay of about a second."""
    with create_engine(os.environ["PATHSCOPE_DATABASE_URL"]).connect() as connection:
        query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        return connection.execute(text(query)).scalar_one()


async def load(url: str, runs: list[int], seconds: float, watchers: int, reads_per_second: float) -> Seen:
    seen = Seen()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", limits=limits, timeout=30) as client:
        watching = [
            asyncio.create_task(watch(client, run, number, seen))
            for number, run in zip(range(watchers), cycle(runs), strict=False)
        ]
        await asyncio.sleep(2)
        began, reading = time.perf_counter(), []
        for n, (read, run) in enumerate(zip(cycle(READS), cycle([*runs, runs[0]]), strict=False)):
            due = began + n / reads_per_second
            if due - began > seconds:
                break
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            reading.append(asyncio.create_task(ask(client, read, run, due, seen)))
        await asyncio.gather(*reading)
        for watcher in watching:
            watcher.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    return seen


async def ask(client: httpx.AsyncClient, read: str, run: int, due: float, seen: Seen) -> None:
    try:
        answer = await client.get(read.format(run=run))
        seen.seconds[read].append(time.perf_counter() - due)
        if answer.status_code != 200:
            seen.errors[f"{read}: {answer.status_code}"] += 1
    except httpx.HTTPError as error:
        seen.errors[f"{read}: {type(error).__name__}"] += 1


async def watch(client: httpx.AsyncClient, run: int, number: int, seen: Seen) -> None:
    """Follow a run's events. Recordings from before the stream began are no news and not late."""
    began, kind = time.time(), ""
    heard = seen.recordings.setdefault((run, number), set())
    try:
        async with client.stream("GET", f"/runs/{run}/events", timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind == "recording":
                    recording = orjson.loads(line.removeprefix("data: "))
                    stored = datetime.fromisoformat(recording["created_at"]).timestamp()
                    heard.add(recording["t"])
                    if stored > began:
                        seen.late.append(time.time() - stored)
    except httpx.HTTPError as error:
        seen.errors[f"events: {type(error).__name__}"] += 1
        return
    seen.errors["events: the stream ended"] += 1


def result(seen: Seen, queries: float, left: dict[int, int], watchers: int) -> dict[str, Any]:
    every = np.array([one for read in seen.seconds.values() for one in read])
    rows = [{"read": read, "count": len(one), **quantiles(np.array(one))} for read, one in seen.seconds.items()]
    missed = [sorted(set(range(max(heard) + 1)) - heard) for heard in seen.recordings.values() if heard]
    p95, latest = float(np.quantile(every, 0.95)), max(seen.late, default=float("inf"))
    return {
        "rows": rows,
        "reads": {"count": len(every), **quantiles(every)},
        "recordings_heard": len(seen.late),
        "recordings_late": quantiles(np.array(seen.late or [np.nan])),
        "newest_recordings": left,
        "transactions_per_second": queries,
        "errors": dict(seen.errors),
        "checks": {
            "no error": not seen.errors,
            f"each of {watchers} streams brings each recording": len(seen.recordings) == watchers and not any(missed),
            f"95 % of reads within 150 ms: {p95 * 1000:.0f} ms": p95 <= 0.150,
            f"no recording late by more than 2 s: {latest:.2f} s": latest <= 2,
        },
    }


def quantiles(seconds: np.ndarray) -> dict[str, float]:
    names = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(float(np.quantile(seconds, at)), 4) for name, at in names.items()}
