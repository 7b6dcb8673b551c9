"""Pages of the dashboard in Chromium: when they are painted, how fast they follow clicks, slider and news."""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.servers import eventually

SCRIPT = Path(__file__).with_suffix(".js")
WINDOW = {"width": 1440, "height": 1000}
QUIET_MS = 500
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str:
    return next(found for name in NAMES if (found := shutil.which(name)))


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield opened
        opened.close()


@contextmanager
def context_of(opened: Browser) -> Iterator[BrowserContext]:
    """A visitor with an empty cache."""
    context = opened.new_context(viewport=WINDOW)
    context.add_init_script(path=SCRIPT)
    yield context
    context.close()


@contextmanager
def visitor(opened: Browser) -> Iterator[BrowserContext]:
    """A visitor with a profile of his own on disk, as people have one: elsewhere Chromium keeps no compiled scripts."""
    with tempfile.TemporaryDirectory() as folder:
        context = opened.browser_type.launch_persistent_context(
            folder, executable_path=executable(), args=ARGUMENTS, viewport=WINDOW
        )
        context.add_init_script(path=SCRIPT)
        yield context
        context.close()


class Traffic:
    """Bytes that come over the wire, by what was asked for; a WebSocket's are its messages'."""

    def __init__(self, page: Page) -> None:
        self.bytes: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._answered)
        session.on("Network.webSocketFrameReceived", self._told)

    def forget(self) -> None:
        self.bytes.clear()
        self.requests.clear()

    def _asked(self, event: dict[str, Any]) -> None:
        parts = urlsplit(event["request"]["url"]).path.split("/")
        self._names[event["requestId"]] = name = parts[-1] or "/"
        self.requests[name] += 1

    def _answered(self, event: dict[str, Any]) -> None:
        self.bytes[self._names.get(event["requestId"], "?")] += int(event["encodedDataLength"])

    def _told(self, event: dict[str, Any]) -> None:
        self.bytes["live"] += len(event["response"]["payloadData"])


def loads(opened: Browser, url: str, visits: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds until every figure in the window is painted, on each visitor's first, second and third visit.

    On the second one scripts come from the browser's cache; from the third on, it has them compiled there as well.
    """
    seconds: tuple[list[float], list[float], list[float]] = ([], [], [])
    for _ in range(visits):
        with visitor(opened) as context:
            for visit in seconds:
                page = context.new_page()
                page.goto(url)
                visit.append(ready(page))
                page.wait_for_timeout(1500)
                page.close()
    return seconds


def ready(page: Page) -> float:
    """Seconds from the beginning of the visit until every figure in the window was painted."""
    return float(eventually(lambda: page.evaluate("bench.ready()"), f"all figures of {page.url}", 60)) / 1000


def clicks(page: Page, places: list[Callable[[], None]]) -> list[float]:
    """Seconds from each click until nothing in the window changes any more."""
    return [_clicked(page, click) for click in places]


def _clicked(page: Page, click: Callable[[], None]) -> float:
    click()
    return float(page.evaluate("(quiet) => bench.settled(quiet)", QUIET_MS)) / 1000


def cell(page: Page, figure: str, across: float, down: float) -> Callable[[], None]:
    """A click into the plot of a figure, at these shares of its width and height."""

    def click() -> None:
        box = page.locator(f"#{figure} .nsewdrag").first.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        page.wait_for_timeout(250)
        page.mouse.down()
        page.mouse.up()

    return click


def live(page: Page, traffic: Traffic, record: Callable[[], int], ticks: int) -> dict[str, Any]:
    """Make so many recordings; how late the figures in the window are, and what each cost on the wire."""
    late: list[float] = []
    total: Counter[str] = Counter()
    for _ in range(ticks):
        traffic.forget()
        page.evaluate("bench.news = []")
        newest = record()
        committed = time.time()
        wanted = set(page.evaluate("bench.visible()"))
        page.wait_for_timeout(3000)
        news = page.evaluate("bench.news")
        first = {one["id"]: one["at"] / 1000 for one in reversed(news) if one["newest"] == newest and one["seen"]}
        late += [first.get(figure, float("inf")) - committed for figure in wanted]
        total += traffic.bytes
    each = {name: round(count / ticks) for name, count in total.most_common()}
    return {"late": late, "bytes_per_tick": sum(each.values()), "bytes": each}


def quantiles(seconds: list[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.quantile(seconds, share / 100)), 3) for share in (50, 95, 100)}
