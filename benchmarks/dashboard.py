"""The dashboard of a laboratory with one large run and a thousand others: browser and server on the same two cores.

Each database is filled once, in a folder of its own. Painted means: every figure in a window of 1440 × 1000 pixels.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import websockets
from alembic import command
from alembic.config import Config
from playwright.sync_api import Browser
from sqlalchemy import create_engine, make_url, text

from backend import artifacts, catalogue, db, queue, settings
from benchmarks import browsing, statements
from benchmarks import made_laboratory as laboratory
from tests.made_runs import make_run
from tests.servers import ROOT, Process, answers, eventually, free_port

POSTGRES = os.environ.get("PATHSCOPE_TEST_POSTGRES", "postgresql+psycopg://root@127.0.0.1:5432/postgres")
DATABASES = ("sqlite", "postgres")
VISITS, CLICKS, TICKS, STEPS, CONNECTIONS, WATCHED_SECONDS = 3, 6, 5, 60, 100, 20.0


def bench(databases: list[str] | None = None) -> dict[str, Any]:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    found: dict[str, Any] = {"checks": {}}
    for database in databases or DATABASES:
        with tempfile.TemporaryDirectory() as folder, database_of(database, Path(folder)):
            found[database] = measured(Path(folder), database, found["checks"])
    return found


@contextmanager
def database_of(kind: str, home: Path) -> Iterator[None]:
    """An empty database of this kind, named in the environment; gone at the end."""
    os.environ.update({"PATHSCOPE_HOME": str(home), "PATHSCOPE_DATABASE_URL": ""})
    name = f"pathscope_dashboard_{uuid4().hex[:8]}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    if kind == "postgres":
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
        os.environ["PATHSCOPE_DATABASE_URL"] = url
    for cached in (settings.settings, db.engine, queue.celery_app, artifacts._root, catalogue._list):
        cached.cache_clear()
    command.upgrade(Config(ROOT / "alembic.ini"), "head")
    try:
        yield
    finally:
        db.engine().dispose()
        if kind == "postgres":
            with server.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def measured(folder: Path, database: str, checks: dict[str, bool]) -> dict[str, Any]:
    began = time.perf_counter()
    large, small = laboratory.fill(), make_run().id
    found: dict[str, Any] = {"filled_in_seconds": round(time.perf_counter() - began, 1)}
    asked = explained(large, small)
    port = free_port()
    server = Process("serve", "--port", str(port), log=folder / "server.log")
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: answers(url), "an answer of the server")
        with browsing.browser() as opened:
            found |= visited(opened, url, large) | used(opened, url, large) | listed(opened, url)
            laboratory.start(large)
            found |= watched(opened, url, large)
        found["connections_core_share"] = asyncio.run(connected(port, large, server.process.pid))
    finally:
        server.stop()
    found |= {"load_1_minute": round(os.getloadavg()[0], 1), "statements": asked["statements"], "scans": asked["scans"]}
    checks |= {f"{database}: {goal}": met for goal, met in (goals(found) | asked["checks"]).items()}
    return found


def explained(large: int, small: int) -> dict[str, Any]:
    """The statements of each view, for a large run and a small one: they must be equally many."""
    views, few = statements.of_views(large), statements.of_views(small)
    counts = {name: len(asked) for name, asked in views.items()}
    grown = [name for name, asked in few.items() if len(views[name]) > len(asked)]
    scans = {name: lines for name, asked in views.items() if (lines := statements.scans(asked))}
    return {
        "statements": counts,
        "scans": scans,
        "checks": {
            f"no view reads a whole table of values: {', '.join(scans) or 'none'}": not scans,
            f"no view asks more often for a larger run: {', '.join(grown) or 'none'}": not grown,
        },
    }


def visited(opened: Browser, url: str, large: int) -> dict[str, Any]:
    browsing.loads(opened, f"{url}/runs/{large}", 1)
    found = {}
    for name, path in (("run_page", f"/runs/{large}"), ("image_page", f"/runs/{large}/images/5")):
        seconds = browsing.loads(opened, url + path, VISITS)
        for visit, taken in zip(("cold", "second", "warm"), seconds, strict=True):
            found[f"{name}_{visit}"] = browsing.quantiles(taken)
    return found


def used(opened: Browser, url: str, large: int) -> dict[str, Any]:
    """Clicks on the image page, by what they choose, and its slider."""
    with browsing.context_of(opened) as context:
        page = context.new_page()
        page.goto(f"{url}/runs/{large}/images/5")
        browsing.ready(page)
        page.wait_for_timeout(2500)
        shares = [(n + 1) / (CLICKS + 1) for n in range(CLICKS)]
        places = {
            "recording": [browsing.cell(page, "image-self-similarity-figure", share, 0.5) for share in shares],
            "layer": [browsing.cell(page, "image-layers-figure", 0.5, share) for share in shares],
        }
        found = {name: browsing.clicks(page, clicks) for name, clicks in places.items()}
        page.locator("#image-cross-path-figure").scroll_into_view_if_needed()
        page.wait_for_timeout(1500)
        partners = [browsing.cell(page, "image-cross-path-figure", 0.5, share) for share in shares]
        found["partner"] = browsing.clicks(page, partners)
        page.goto(f"{url}/runs/{large}/images/5?t=0")
        browsing.ready(page)
        traffic = browsing.Traffic(page)
        page.wait_for_timeout(2500)
        traffic.forget()
        per_second = page.evaluate("(steps) => bench.slide(steps)", STEPS)
        asked = dict(traffic.requests)
    every = [seconds for clicks in found.values() for seconds in clicks]
    return {
        **{f"click_{name}": browsing.quantiles(clicks) for name, clicks in found.items()},
        "click_all": browsing.quantiles(every),
        "slider_per_second": round(per_second, 1),
        "slider_requests": asked,
    }


def listed(opened: Browser, url: str) -> dict[str, Any]:
    with browsing.context_of(opened) as context:
        page = context.new_page()
        page.goto(url)
        page.locator(".ag-row").first.wait_for()
        page.wait_for_timeout(1500)
        began = time.perf_counter()
        page.goto(url)
        page.locator(".ag-row").first.wait_for()
        seconds_listed = time.perf_counter() - began
        page.wait_for_timeout(1500)
        began = time.perf_counter()
        page.locator("#runs-search").fill("net=resnet18 tag:overlaid")
        page.locator("#runs-search").press("Enter")
        page.locator("#runs-count", has_text="63").or_(page.locator("#runs-count", has_text="62")).wait_for()
        seconds_filtered = time.perf_counter() - began
        page.goto(f"{url}/compare?filter=tag:overlaid")
        page.locator("#compare-overlay .scatterlayer .trace").first.wait_for(state="attached")
        page.wait_for_timeout(1500)
        began = time.perf_counter()
        page.goto(f"{url}/compare?filter=tag:overlaid")
        page.locator("#compare-overlay .scatterlayer .trace").first.wait_for(state="attached")
        seconds_compared = time.perf_counter() - began
    seconds = {"runs_listed": seconds_listed, "runs_filtered": seconds_filtered, "runs_compared": seconds_compared}
    return {name: round(one, 2) for name, one in seconds.items()}


def watched(opened: Browser, url: str, large: int) -> dict[str, Any]:
    """New recordings of the large run as they come to its page and to an image's."""
    found = {}
    for name, path in (("run_page", f"/runs/{large}"), ("image_page", f"/runs/{large}/images/5")):
        with browsing.context_of(opened) as context:
            page = context.new_page()
            traffic = browsing.Traffic(page)
            page.goto(url + path)
            browsing.ready(page)
            page.wait_for_timeout(2500)
            live = browsing.live(page, traffic, lambda: laboratory.record(large), TICKS)
        found |= {f"live_{name}": {**live, "late": browsing.quantiles(live["late"])}}
    return found


async def connected(port: int, large: int, pid: int) -> float:
    """The share of a core that the server needs for so many sockets, a recording a second and two steps between."""
    address, origin = f"ws://127.0.0.1:{port}/api/v1/live", f"http://127.0.0.1:{port}"
    sockets = [await websockets.connect(address, origin=origin) for _ in range(CONNECTIONS)]  # type: ignore[arg-type]
    heard = [asyncio.create_task(_count(socket)) for socket in sockets]
    await asyncio.sleep(2)
    server = psutil.Process(pid)
    before, began = sum(server.cpu_times()[:2]), time.perf_counter()
    while time.perf_counter() - began < WATCHED_SECONDS:
        await asyncio.to_thread(laboratory.record, large)
        for step in (1, 2):
            await asyncio.sleep(0.33)
            await asyncio.to_thread(laboratory.progress, large, step)
    share = (sum(server.cpu_times()[:2]) - before) / (time.perf_counter() - began)
    for socket in sockets:
        await socket.close()
    if min(await asyncio.gather(*heard)) < WATCHED_SECONDS:
        raise AssertionError("a connection heard of fewer news than there were seconds")
    return round(share, 3)


async def _count(socket: Any) -> int:
    return len([message async for message in socket])


def goals(found: dict[str, Any]) -> dict[str, bool]:
    cold, second, warm = (found[f"run_page_{visit}"] for visit in ("cold", "second", "warm"))
    click = found["click_all"]
    late = [found[f"live_{page}"]["late"]["p95"] for page in ("run_page", "image_page")]
    listed = max(found["runs_listed"], found["runs_filtered"])
    asked, share = sum(found["slider_requests"].values()), found["connections_core_share"]
    return {
        f"large run's page, cold, within 2 s: {cold['p50']:.2f} s": cold["p50"] <= 2,
        f"large run's page, second visit, within 1 s: {second['p50']:.2f} s": second["p50"] <= 1,
        f"large run's page, warm, within 1 s: {warm['p50']:.2f} s": warm["p50"] <= 1,
        f"half of the clicks on the image page painted within 150 ms: {click['p50'] * 1000:.0f}": click["p50"] <= 0.15,
        f"95 % of the clicks painted within 250 ms: {click['p95'] * 1000:.0f}": click["p95"] <= 0.25,
        f"slider 10 recordings a second: {found['slider_per_second']}": found["slider_per_second"] >= 10,
        f"no request for each of {STEPS} recordings while it slides: {asked} in all": asked < STEPS / 10,
        f"1,000 runs listed and filtered within 1 s each: {listed} s": listed <= 1,
        f"250 runs overlaid within 2 s: {found['runs_compared']} s": found["runs_compared"] <= 2,
        f"95 % of figures painted within 0.5 s of a commit: {max(late):.2f} s": max(late) <= 0.5,
        f"{CONNECTIONS} live connections below 10 % of a core: {share:.1%}": share <= 0.1,
    }
