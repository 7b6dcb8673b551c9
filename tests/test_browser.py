"""The dashboard in a real browser, against a real server and worker: what is drawn is what REST serves."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.made_runs import make_run
from tests.servers import eventually, serving, working

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
PATIENCE_MS = 120_000
LONG = {
    "net": "mlp",
    "dataset": "digits",
    "epochs": 3000,
    "probe": {"count": 8},
    "recordings": {"every_epochs": 3000},
}

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # --no-sandbox: a container's root has no user namespaces to make a sandbox with.
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def site(home: Path) -> Iterator[str]:
    """A server on an empty database."""
    with serving(home) as url:
        yield url


@pytest.fixture
def screen(page: Page) -> Iterator[Page]:
    """A page on which any message of an error in the console fails the test."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []


def drawn(page: Page, figure: str) -> list[dict]:
    """The traces that Plotly has drawn in the figure of this id, arrays as lists, NaN as null."""
    return page.evaluate(
        """(id) => {
            const plot = document.querySelector(`#${id} .js-plotly-plot`) || document.getElementById(id);
            const plain = (value) => ArrayBuffer.isView(value) ? Array.from(value, plain)
                : Array.isArray(value) ? value.map(plain) : Number.isNaN(value) ? null : value;
            return ((plot && plot._fullData) || []).map((trace) => ({
                type: trace.type, name: trace.name, x: plain(trace.x), y: plain(trace.y), z: plain(trace.z)}));
        }""",
        figure,
    )


def lengths(page: Page, figure: str) -> set[int]:
    """How many points each trace of the figure has."""
    return {len(trace["y"]) for trace in drawn(page, figure)}


def test_submit_through_the_form_watch_it_live_and_look_at_an_image(site: str, screen: Page, home: Path) -> None:
    with working(home):
        screen.goto(site)
        screen.locator("#runs-new, #runs-empty-new").first.click()
        screen.locator("#spec-name").fill("From the form")
        screen.locator("#spec-epochs").fill("6")
        screen.locator("#spec-probe-count").fill("40")
        expect(screen.locator("#spec-json")).to_contain_text('"epochs": 6')
        screen.locator("#spec-submit").click()
        screen.wait_for_url(re.compile(r"/runs/\d+$"))
        expect(screen.locator("#run-name")).to_have_text("From the form")
        run_id = int(screen.url.rsplit("/", 1)[1])
        api = f"{site}/api/v1/runs/{run_id}"
        # Live: figures and pictures come by themselves, and go on to the end, with no reload.
        expect(screen.locator("#gallery img")).to_have_count(40)
        eventually(lambda: httpx.get(api).json()["status"] == "completed", "the end of the run", 180)
        expect(screen.locator("#run-status")).to_contain_text("completed", ignore_case=True)
        recordings = httpx.get(f"{api}/recordings").json()
        losses = [recording["train_loss"] for recording in recordings]
        eventually(lambda: lengths(screen, "training-figure") == {len(losses)}, "the last recording in the curves")
        assert drawn(screen, "training-figure")[0]["y"] == pytest.approx(losses, abs=1e-5)
        screen.locator("#gallery button, #gallery a").nth(7).click()
        screen.wait_for_url(re.compile(rf"/runs/{run_id}/images/\d+"))
    image = int(re.search(r"/images/(\d+)", screen.url)[1])
    _check_image_page(screen, api, image)


def _check_image_page(screen: Page, api: str, image: int) -> None:
    layers = httpx.get(f"{api}/layers").json()
    similarity = [
        httpx.get(f"{api}/self-similarity", params={"layer": layer["k"], "image": image}).json()["values"]
        for layer in layers
    ]
    eventually(lambda: drawn(screen, "image-layers-figure"), "the heat map of layers")
    heat = next(trace for trace in drawn(screen, "image-layers-figure") if trace["type"] == "heatmap")
    for row, expected in zip(heat["z"], similarity, strict=True):
        assert row == pytest.approx(expected, abs=1e-4, nan_ok=True)
    expect(screen.locator("#film-strip img").first).to_be_visible()
    nearest = httpx.get(f"{api}/neighbours", params={"layer": 1, "image": image}).json()["nearest"]
    assert nearest


def test_the_address_holds_the_view_and_back_goes_back(site: str, screen: Page) -> None:
    run = make_run(images=10, count=5)
    screen.goto(f"{site}/runs/{run.id}/images/3?layer=2&partner=7&t=2")
    expect(screen.locator("#partner-picture img, img#partner-picture").first).to_have_attribute(
        "src", re.compile(r"/images/7\.png")
    )
    eventually(lambda: drawn(screen, "pair-cross-path-figure"), "the partner's line")
    rows = httpx.get(f"{site}/api/v1/runs/{run.id}/cross-path?layer=2&image=3&other=7").json()["values"]
    lines = drawn(screen, "pair-cross-path-figure")
    assert any(trace["y"] == pytest.approx(rows, abs=1e-4) for trace in lines if trace["y"] and len(trace["y"]) == 4)
    _check_film_strip(screen, f"{site}/api/v1/runs/{run.id}/neighbours?layer=2&image=3")
    screen.locator("#film-strip button[data-partner]:not([data-partner='7'])").first.click()
    expect(screen).not_to_have_url(re.compile("partner=7"))
    screen.go_back()
    expect(screen).to_have_url(re.compile("partner=7"))
    expect(screen.locator("#partner-picture img, img#partner-picture").first).to_have_attribute(
        "src", re.compile(r"/images/7\.png")
    )


def _check_film_strip(screen: Page, address: str) -> None:
    """A column per recording, the nearest on top; images of class 0 bear the label of image 3."""
    nearest = httpx.get(address).json()["nearest"]
    expect(screen.locator("#film-strip .strip-column")).to_have_count(len(nearest))
    shown = (
        "columns => columns.map(one => [...one.querySelectorAll('.frame')].map(frame => Number(frame.dataset.partner)))"
    )
    assert screen.locator("#film-strip .strip-column").evaluate_all(shown) == nearest
    same = [image for column in nearest for image in column if image % 3 == 0]
    expect(screen.locator("#film-strip .frame.same")).to_have_count(len(same))
    top = screen.locator("#film-strip .strip-column").nth(2).locator(".frame").first
    expect(top).to_have_attribute("aria-label", re.compile(r"rank 0 at recording 2"))


def test_a_field_that_is_wrong_is_marked_and_nothing_typed_is_lost(site: str, screen: Page) -> None:
    screen.goto(f"{site}/new")
    screen.locator("#spec-name").fill("Kept")
    screen.locator("#spec-probe-count").fill("2000")
    screen.locator("#spec-submit").click()
    expect(screen.locator(".mantine-InputWrapper-error").first).to_contain_text("1437")
    expect(screen.locator("#spec-name")).to_have_value("Kept")
    assert httpx.get(f"{site}/api/v1/runs").json()["runs"] == []


def test_a_run_that_waits_without_a_worker_says_so_and_can_be_cancelled_and_deleted(site: str, screen: Page) -> None:
    run_id = httpx.post(f"{site}/api/v1/runs", json={"net": "mlp", "dataset": "digits"}).json()["id"]
    screen.goto(f"{site}/runs/{run_id}")
    expect(screen.locator("#run-notice, #run-status").first).to_contain_text("worker")
    screen.goto(site)
    screen.locator(f".ag-row[row-id='{run_id}'] input[type=checkbox]").check()
    screen.locator("#runs-cancel").click()
    expect(screen.locator("#runs-grid .status-cancelled")).to_be_visible()
    screen.locator("#runs-delete").click()
    screen.locator("#runs-delete-confirm").click()
    expect(screen.locator("#runs-empty")).to_be_visible()
    assert httpx.get(f"{site}/api/v1/runs/{run_id}").status_code == 404


def test_a_run_that_failed_shows_why_and_its_log(site: str, screen: Page, home: Path) -> None:
    spec = {"net": "mlp", "dataset": "digits", "optimiser": {"lr": 10}, "probe": {"count": 8}}
    run_id = httpx.post(f"{site}/api/v1/runs", json=spec).json()["id"]
    screen.goto(f"{site}/runs/{run_id}")
    with working(home):
        expect(screen.locator("#run-notice")).to_contain_text("not finite at step")
    screen.locator("#run-log-details summary").click()
    expect(screen.locator("#run-log")).to_contain_text("the run is failed")


def test_an_unknown_run_has_a_friendly_page(site: str, page: Page) -> None:
    page.goto(f"{site}/runs/77")
    expect(page.locator("#notice-page")).to_contain_text("there is no run 77")


def test_the_page_recovers_by_itself_when_the_server_comes_back(home: Path, page: Page) -> None:
    with serving(home) as url:
        page.goto(url)
        expect(page.locator("#runs-empty")).to_be_visible()
        port = int(url.rsplit(":", 1)[1])
    expect(page.locator("#connection-lost")).to_be_visible()
    with serving(home, port=port):
        run = make_run()
        expect(page.locator("#connection-lost")).to_be_hidden()
        expect(page.locator(f".ag-center-cols-container .ag-row[row-id='{run.id}']")).to_be_visible()


def test_the_buttons_of_a_run_are_those_that_its_state_allows(site: str, screen: Page, home: Path) -> None:
    run_id = httpx.post(f"{site}/api/v1/runs", json=LONG).json()["id"]
    screen.goto(f"{site}/runs/{run_id}")
    expect(screen.locator("#run-notice")).to_contain_text("No worker is running")
    _check_buttons(screen, {"pause", "cancel"})
    with working(home):
        expect(screen.locator("#run-progress-text")).to_contain_text("training")
        screen.locator("#pause-run").click()
        expect(screen.locator("#status-badge")).to_have_text("paused")
        _check_buttons(screen, {"activate", "cancel"})
        screen.locator("#activate-run").click()
        expect(screen.locator("#status-badge")).to_have_text(re.compile("queued|running"))
        _check_buttons(screen, {"pause", "cancel"})
        screen.locator("#cancel-run").click()
        expect(screen.locator("#status-badge")).to_have_text("cancelled")
    _check_buttons(screen, {"retry", "delete"})
    screen.locator("#run-log-details summary").click()
    screen.locator("#run-log-search").fill("PAUSED after")
    expect(screen.locator("#run-log")).to_have_text(
        re.compile(r"^[^\n]*paused after step \d+, recording 0 was the last$")
    )
    completed = make_run(epochs=4, paths="last")
    screen.goto(f"{site}/runs/{completed.id}")
    _check_buttons(screen, {"extend", "delete"})
    screen.locator("#extend-run").click()
    screen.locator("#extend-yes").click()
    expect(screen.get_by_role("dialog")).to_contain_text("paths: all")


def _check_buttons(screen: Page, shown: set[str]) -> None:
    for command in ("pause", "activate", "cancel", "retry", "extend", "delete"):
        expect(screen.locator(f"#{command}-run")).to_be_visible(visible=command in shown)
    expect(screen.locator("#clone-run")).to_be_visible()


def test_the_page_of_workers_shows_who_trains_what_and_why_runs_wait(site: str, screen: Page, home: Path) -> None:
    first, second, third = (
        httpx.post(f"{site}/api/v1/runs", json=LONG | more).json()["id"]
        for more in ({"name": "First"}, {"name": "Second", "device": "cuda"}, {"name": "Third"})
    )
    screen.goto(f"{site}/workers")
    expect(screen.locator("#no-worker")).to_be_visible()
    with working(home):
        expect(screen.locator(".worker")).to_contain_text("Trains First")
        expect(screen.locator("#queue-table")).to_contain_text("no worker with a CUDA GPU is running")
        expect(screen.locator("#queue-table")).to_contain_text(f"is on run {first}")
        for run_id in (second, third, first):
            httpx.post(f"{site}/api/v1/runs/{run_id}/cancel")
        expect(screen.locator(".worker")).to_contain_text("Waits for a run")
        expect(screen.locator("#queue-empty")).to_be_visible()


def test_the_run_page_draws_what_rest_serves_and_every_selection_is_in_its_address(site: str, screen: Page) -> None:
    run = make_run(images=12, count=5, epochs=8, quantities=["path", "projection"])
    api = f"{site}/api/v1/runs/{run.id}"
    screen.goto(f"{site}/runs/{run.id}?layer=2&t=3")
    names = ["layer-medians", "layer-distributions", "pair-matrix", "overlap-distance", "two-times", "early-to-mid"]
    for name in [*names, "projection"]:
        screen.locator(f"#{name}").scroll_into_view_if_needed()
        eventually(lambda name=name: drawn(screen, f"{name}-figure"), f"the figure {name}")
    expect(screen.locator("#image-function-figure")).to_contain_text("image_function")
    matrix = httpx.get(f"{api}/cross-path?layer=2&recording=3").json()["values"]
    order = sorted(range(12), key=lambda i: (i % 3, i))
    heat = drawn(screen, "pair-matrix-figure")[0]["z"]
    for row, i in zip(heat, order, strict=True):
        assert row == pytest.approx([matrix[i][j] for j in order], abs=1e-6)
    pairs = httpx.get(f"{api}/overlap?layer=2&recording=3").json()
    points = [y for trace in drawn(screen, "overlap-distance-figure") for y in trace["y"]]
    assert sorted(points) == sorted(pairs["overlap"])
    screen.locator("#pair-matrix button[data-value=index]").click()
    expect(screen).to_have_url(re.compile("pair-matrix.order=index"))
    eventually(lambda: drawn(screen, "pair-matrix-figure")[0]["z"][0][1] == pytest.approx(matrix[0][1]), "the order")
    screen.locator("#step-on").click()
    expect(screen).not_to_have_url(re.compile("[?&]t="))  # at the end the slider follows what is to come
    later = httpx.get(f"{api}/cross-path?layer=2&recording=4").json()["values"]
    eventually(lambda: drawn(screen, "pair-matrix-figure")[0]["z"][0][1] == pytest.approx(later[0][1]), "recording 4")
    _check_numbers_and_gallery(screen, api)


def _check_numbers_and_gallery(screen: Page, api: str) -> None:
    screen.locator("#two-times .numbers summary").click()
    cells = screen.locator("#two-times .numbers-table td")
    served = httpx.get(f"{api}/figures/two-times?layer=2&format=table").json()["rows"]
    expect(cells).to_have_count(3 * len(served) + len(served))
    screen.locator("#gallery").scroll_into_view_if_needed()
    states = httpx.get(f"{api}/image-states?layer=2&recording=4").json()
    expect(screen.locator("#gallery .verdict")).to_have_count(12)
    links = screen.locator("#gallery a.tile").evaluate_all("(tiles) => tiles.map((tile) => tile.pathname)")
    assert sorted(int(link.rsplit("/", 1)[1]) for link in links) == list(range(12))
    expect(screen.locator("#gallery .verdict.is-right")).to_have_count(
        sum(guess == i % 3 for i, guess in enumerate(states["predicted"]))
    )
    screen.locator("button[data-option='gallery.sort'][data-value=loss]").click()
    worst = max(range(12), key=lambda i: states["loss"][i])
    expect(screen.locator("#gallery a.tile").first).to_have_attribute("href", re.compile(rf"/images/{worst}$"))
    screen.locator("#gallery-find").fill("class 1")
    expect(screen.locator("#gallery a.tile:visible")).to_have_count(4)
