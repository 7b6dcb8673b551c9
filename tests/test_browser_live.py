"""News in a real browser, on both databases: what a page does when a run ends, records, or its server is away."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, Route, expect

from backend.db import session_scope
from backend.schemas import RunStatus
from backend.services import leases
from backend.services.leases import Lease
from benchmarks.made_laboratory import record, start
from tests.browser_figures import drag, equal, layout_of
from tests.made_runs import make_run
from tests.servers import eventually, free_port, serving
from tests.test_browser import browser, drawn, page, screen

__all__ = ["browser", "page", "screen"]


@pytest.fixture(scope="module")
def site(shared_home: Path) -> Iterator[str]:
    """A server for all tests of this module but those that stop theirs."""
    with serving(shared_home) as url:
        yield url


def end(run_id: int, status: RunStatus, reason: str | None = None) -> None:
    """End a run that `start` has started."""
    with session_scope() as session:
        leases.end(session, Lease(run_id, "made", 1), status, reason)


def begun(name: str) -> int:
    """A run that trains, as far as anyone can see; its id."""
    run = make_run(images=4, count=3, name=name)
    start(run.id)
    return run.id


def ears(screen: Page) -> Callable[[], None]:
    """Waits until the page that has been opened since the last time hears of news: the server greets each socket."""
    heard: list[object] = []
    screen.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(frame)))

    def listen() -> None:
        eventually(lambda: screen.title() and heard, "the server's greeting")
        heard.clear()

    return listen


def test_the_end_of_a_run_is_told_on_every_page_and_only_once(site: str, screen: Page) -> None:
    good, bad, later = begun("Good"), begun("Bad"), begun("Later")
    listen = ears(screen)
    screen.goto(f"{site}/workers")
    listen()
    end(good, RunStatus.COMPLETED)
    end(bad, RunStatus.FAILED, "The loss is not finite at step 7.")
    accuracy = httpx.get(f"{site}/api/v1/runs/{good}").json()["last"]["test_accuracy"]
    notice = screen.locator(".mantine-Notification-root")
    expect(notice.filter(has_text=f"Run {good} is completed")).to_contain_text(
        f"“Good”, test accuracy {100 * accuracy:.1f} %"
    )
    expect(notice.filter(has_text=f"Run {bad} has failed")).to_contain_text("“Bad”: The loss is not finite at step 7.")
    expect(notice).to_have_count(2)
    screen.reload()
    listen()
    # News of the ended ones once more, which are no ends.
    for run_id in (good, bad):
        httpx.patch(f"{site}/api/v1/runs/{run_id}", json={"notes": "looked at"})
    end(later, RunStatus.COMPLETED)
    expect(notice).to_contain_text(f"Run {later} is completed")
    assert notice.count() == 1


def test_what_the_reader_has_set_up_survives_a_new_recording(site: str, screen: Page) -> None:
    run = make_run(images=9, count=5, layers=3)
    start(run.id)
    screen.goto(f"{site}/runs/{run.id}/images/3?layer=2&partner=7")
    drag(screen, "image-self-similarity-figure", (1.5, 0.3), (3.5, 0.7))
    zoomed = layout_of(screen, "image-self-similarity-figure", "xaxis.range")
    assert zoomed == pytest.approx([1.5, 3.5], abs=0.05)
    numbers = screen.locator("#pair-cross-path .numbers")
    numbers.locator("summary").click()
    expect(numbers.locator("tbody tr")).to_have_count(4 * 9)
    numbers.locator(".numbers-table").evaluate("table => { table.scrollTop = 60; }")
    screen.evaluate("window.scrollTo({top: 260, behavior: 'instant'})")
    t = record(run.id)
    assert t == 5
    expect(numbers.locator("tbody tr")).to_have_count(5 * 9)
    for figure in ("image-self-similarity-figure", "image-layers-figure", "pair-cross-path-figure"):
        eventually(lambda figure=figure: drawn(screen, figure)[0]["x"] == [1, 2, 3, 4, 5], f"recording 5 in {figure}")
    assert layout_of(screen, "image-self-similarity-figure", "xaxis.range") == zoomed
    assert numbers.locator(".numbers-table").evaluate("table => table.scrollTop") == 60
    assert screen.evaluate("window.scrollY") == 260
    expect(screen.locator("#partner")).to_have_value(re.compile("^#7 "))
    values = httpx.get(f"{site}/api/v1/runs/{run.id}/cross-path?layer=2&image=3&other=7").json()["values"]
    assert len(values) == t
    assert equal(drawn(screen, "pair-cross-path-figure")[-1]["y"], values)


def test_recordings_of_the_time_without_a_server_are_drawn_once(shared_home: Path, page: Page) -> None:
    run = make_run(images=9, count=4, layers=2)
    start(run.id)
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    port = free_port()
    with serving(shared_home, port) as url:
        page.goto(f"{url}/runs/{run.id}/images/3?layer=1&partner=7")
        eventually(lambda: recordings_in(page) == [[1, 2, 3]] * 4, "the recordings so far")
    record(run.id)
    expect(page.locator("#connection-lost")).to_be_visible()
    with serving(shared_home, port) as url:
        record(run.id)
        expect(page.locator("#connection-lost")).to_be_hidden()
        api, place = f"{url}/api/v1/runs/{run.id}", "layer=1&image=3"
        served = httpx.get(f"{api}/self-similarity?{place}").json()
        assert served["recordings"] == [1, 2, 3, 4, 5]
        eventually(lambda: recordings_in(page) == [served["recordings"]] * 4, "both recordings in the figures")
        assert equal(drawn(page, "image-self-similarity-figure")[-1]["y"], served["values"])
        assert equal(drawn(page, "image-layers-figure")[0]["z"][0], served["values"])
        pairs = httpx.get(f"{api}/cross-path?{place}&other=7").json()["values"]
        assert equal(drawn(page, "pair-cross-path-figure")[-1]["y"], pairs)
        times = [str(t) for t in httpx.get(f"{api}/neighbours?{place}").json()["recordings"]]
        eventually(lambda: page.locator("#film-strip .strip-head").all_text_contents() == times, "both in the strip")
    assert thrown == []


def test_the_film_strip_has_every_recording_when_its_answer_comes_late(site: str, screen: Page) -> None:
    run = make_run(images=9, count=4)

    def late(route: Route) -> None:
        time.sleep(1.5)
        route.continue_()

    screen.route("**/followed?*", late)
    screen.goto(f"{site}/runs/{run.id}/images/3?layer=1")
    heads = screen.locator("#film-strip .strip-head")
    expect(heads.first).to_be_visible()
    assert heads.all_text_contents() == ["0", "1", "2", "3"]


def recordings_in(page: Page) -> list[Any]:
    """The recordings that the figures in the window show, whatever is drawn of them."""
    names = ("image-layers", "image-self-similarity", "image-cross-path", "pair-cross-path")
    found = []
    for name in names:
        traces = drawn(page, f"{name}-figure")
        shown = [trace["x"] for trace in traces]
        found.append(shown[0] if shown and all(one == shown[0] for one in shown) else shown)
    return found


def test_a_script_that_could_not_be_fetched_is_asked_for_again(site: str, page: Page) -> None:
    run = make_run(images=4, count=2)
    page.goto(f"{site}/workers")
    with page.expect_event("requestfailed", lambda request: "ag_grid" in request.url):
        page.context.set_offline(True)
    page.context.set_offline(False)
    page.locator("#nav-runs").click()
    expect(page.locator(f".ag-center-cols-container .ag-row[row-id='{run.id}']")).to_be_visible()


def test_news_that_come_while_the_table_is_awaited_do_not_take_its_place(site: str, screen: Page) -> None:
    first = make_run(images=4, count=2)
    later: list[int] = []

    def late(route: Route) -> None:
        if "runs-news" in (route.request.post_data or "") and not later:
            later.append(make_run(images=4, count=2).id)
            time.sleep(1.5)
        route.continue_()

    screen.route("**/_dash-update-component**", late)
    screen.goto(f"{site}/")
    for run_id in (first.id, *later):
        expect(screen.locator(f".ag-center-cols-container .ag-row[row-id='{run_id}']")).to_be_visible()
    assert later
