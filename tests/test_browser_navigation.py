"""Ways through the dashboard in a real browser: back, forward, links, the keyboard, and a server that is away."""

import re
from pathlib import Path

import httpx2 as httpx
from playwright.sync_api import Page, expect

from tests.made_runs import make_run
from tests.servers import eventually, serving
from tests.test_browser import browser, drawn, page, screen, site

__all__ = ["browser", "page", "screen", "site"]


def place(screen: Page) -> int:
    """How far the page is scrolled down, in pixels."""
    return int(screen.evaluate("Math.round(window.scrollY)"))


def top_of(screen: Page, panel: str) -> int:
    """How far below the window's upper edge a panel begins."""
    return int(screen.evaluate("(id) => Math.round(document.getElementById(id).getBoundingClientRect().top)", panel))


def test_a_link_to_a_panel_opens_there(site: str, screen: Page) -> None:
    run = make_run(images=8, count=4)
    screen.goto(f"{site}/runs/{run.id}?layer=2#pair-matrix")
    eventually(lambda: drawn(screen, "pair-matrix-figure"), "the matrix of pairs")
    eventually(lambda: 0 <= top_of(screen, "pair-matrix") < 300, "the panel at the top of the window")


def test_back_leads_to_where_the_page_stood(site: str, screen: Page) -> None:
    run = make_run(images=30, count=4)
    screen.goto(f"{site}/runs/{run.id}")
    screen.locator("#gallery").scroll_into_view_if_needed()
    screen.locator("#gallery .tile").nth(20).click(trial=True)
    eventually(lambda: place(screen) > 1000 and screen.evaluate("history.state?.scroll") == place(screen), "its place")
    stood = place(screen)
    screen.locator("#gallery .tile").nth(20).click()
    screen.wait_for_url(re.compile(r"/images/\d+"))
    eventually(lambda: place(screen) == 0, "the image's page from its top")
    screen.go_back()
    eventually(lambda: abs(place(screen) - stood) < 3, "the run's page where it stood")


def test_sorting_keeps_the_filter_and_goes_both_ways(site: str, screen: Page) -> None:
    for net in ("mlp", "alexnet", "mlp"):
        make_run(images=4, count=2, net=net)
    screen.goto(site)
    screen.locator("#runs-grid .ag-row").first.wait_for()
    screen.locator("#runs-search").fill("net=mlp")
    expect(screen).to_have_url(re.compile("filter=net%3Dmlp"))
    header = screen.locator("#runs-grid button.runs-header", has_text="Run")
    header.click()
    expect(screen).to_have_url(re.compile("filter=net%3Dmlp&sort=id"))
    expect(header).to_have_attribute("data-sorted", "ascending")
    header.click()
    expect(screen).to_have_url(re.compile("filter=net%3Dmlp&sort=-id"))
    expect(header).to_have_attribute("data-sorted", "descending")
    expect(screen.locator("#runs-count")).to_have_text("2 runs")


def test_the_keyboard_sorts_runs_and_opens_one(site: str, screen: Page) -> None:
    run = make_run(images=4, count=2)
    screen.goto(site)
    cell = screen.locator(f"#runs-grid .ag-center-cols-container .ag-row[row-id='{run.id}'] [col-id=name]")
    cell.wait_for()
    screen.locator("#runs-grid .ag-header-cell[col-id=epochs]").focus()
    screen.keyboard.press("Enter")
    expect(screen).to_have_url(re.compile(r"\?sort=epochs"))
    cell.focus()
    screen.keyboard.press("Enter")
    expect(screen).to_have_url(re.compile(rf"/runs/{run.id}$"))


def test_a_link_that_is_followed_while_the_server_is_away_leads_on_once_it_is_back(home: Path, page: Page) -> None:
    with serving(home) as url:
        page.goto(url)
        expect(page.locator("#runs-empty")).to_be_visible()
        port = int(url.rsplit(":", 1)[1])
    expect(page.locator("#connection-lost")).to_be_visible()
    page.locator("#nav-compare").click()
    expect(page).to_have_url(re.compile("/compare$"))
    with serving(home, port=port):
        expect(page.get_by_role("heading", name="Compare runs")).to_be_visible()
        expect(page.locator("#connection-lost")).to_be_hidden()


def test_a_rectangle_of_pairs_is_in_the_address_and_follows_the_slider(site: str, screen: Page) -> None:
    run = make_run(images=12, count=5)
    brush = "overlap-distance.brush=same,0.1,0.9,0,11"
    screen.goto(f"{site}/runs/{run.id}?layer=2&t=3&{brush}#overlap-distance")
    for recording in (3, 2):
        query = "distance_from=0.1&distance_to=0.9&overlap_from=0&overlap_to=11&same_label=true&limit=1000"
        api = f"{site}/api/v1/runs/{run.id}/overlap/pairs?layer=2&recording={recording}&{query}"
        served = httpx.get(api).json()
        pairs = list(zip(served["image"], served["other"], strict=True))
        expect(screen.locator("#pairs-inside p")).to_contain_text(f"recording {recording}: {len(pairs)} pairs")
        shown = screen.locator("#pairs-inside .pair").evaluate_all(
            "pairs => pairs.map(({dataset: {image, partner}}) => [Number(image), Number(partner)])"
        )
        assert [tuple(pair) for pair in shown] == pairs
        eventually(lambda: screen.locator("#overlap-distance .selectionlayer path").count(), "the rectangle")
        screen.locator("#step-back").click()
