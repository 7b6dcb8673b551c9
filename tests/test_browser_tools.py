"""What figures, the colour switch and the table of runs offer in a real browser, on both databases."""

import re
import struct
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, expect

from backend.db import session_scope
from backend.services import sweeps
from backend.sweeps import SweepSpec
from tests.browser_figures import layout_of, point_at, run, show, site
from tests.made_runs import MadeRun, make_run
from tests.servers import eventually
from tests.test_browser import browser, drawn, page, screen
from tests.test_browser_pages import rows

__all__ = ["browser", "page", "run", "screen", "site"]

FIGURE = "image-self-similarity-figure"


def tool(screen: Page, panel: str, name: str) -> None:
    screen.locator(f"#{panel} [data-tool={name}]").click()


def downloaded(screen: Page, panel: str, name: str) -> tuple[str, bytes]:
    """What the file is called, and what is in it."""
    with screen.expect_download() as download:
        tool(screen, panel, name)
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_a_figure_is_saved_as_the_picture_that_is_asked_for(site: str, screen: Page, run: MadeRun) -> None:
    screen.goto(f"{site}/runs/{run.id}/images/3?layer=1")
    show(screen, FIGURE)
    width, height = screen.locator(f"#{FIGURE} .js-plotly-plot").evaluate(
        "plot => [plot.offsetWidth, plot.offsetHeight]"
    )
    name, text = downloaded(screen, "image-self-similarity", "svg")
    assert name == f"run{run.id}-image-self-similarity-image3-layer1-path.svg"
    svg = ElementTree.fromstring(text)
    assert f"run {run.id} “" in "".join(svg.itertext())
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    size = [float(svg.attrib[side]) for side in ("width", "height")]
    assert (size[0], size[1] > height) == (width, True)  # the title stands above
    traces = [part for part in svg.iter() if part.attrib.get("class", "").startswith("trace scatter")]
    assert len(traces) == len(drawn(screen, FIGURE))
    name, png = downloaded(screen, "image-self-similarity", "png")
    assert name.endswith(".png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert list(struct.unpack(">II", png[16:24])) == [2 * side for side in size]


def test_the_numbers_of_a_figure_are_rests(site: str, screen: Page, run: MadeRun) -> None:
    screen.goto(f"{site}/runs/{run.id}/images/3?layer=1")
    show(screen, FIGURE)
    address = f"{site}/api/v1/runs/{run.id}/figures/image-self-similarity?image=3&layer=1"
    name, text = downloaded(screen, "image-self-similarity", "csv")
    assert name == f"run{run.id}-image-self-similarity-layer1-path-image3.csv"
    assert text.decode() == httpx.get(f"{address}&format=csv").text
    screen.locator("#image-cross-path .numbers summary").click()
    table = screen.locator("#image-cross-path .numbers-table table")
    address = f"{site}/api/v1/runs/{run.id}/figures/image-cross-path?image=3&layer=1&format=table"
    served = httpx.get(address).json()
    expect(table.locator("tbody tr")).to_have_count(served["total"])
    assert table.locator("th").all_text_contents() == [name.replace("_", " ") for name in served["columns"]]
    cells = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(one => one.textContent))"
    )
    assert [[_number(cell) for cell in row] for row in cells] == [
        [pytest.approx(value, rel=1e-5) if isinstance(value, float) else value for value in row]
        for row in served["rows"]
    ]
    assert any(None in row for row in served["rows"])


def _number(cell: str) -> float | str | None:
    """What a cell says; None where it says that nothing is defined."""
    try:
        return float(cell)
    except ValueError:
        return None if cell == "undefined" else cell


def test_the_link_of_a_figure_opens_the_page_at_its_panel(site: str, screen: Page, run: MadeRun) -> None:
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.goto(f"{site}/runs/{run.id}?layer=2&t=3")
    show(screen, "two-times-figure")
    tool(screen, "two-times", "link")
    expect(screen.locator("#two-times .told")).to_have_text("The link is copied.")
    link = screen.evaluate("navigator.clipboard.readText()")
    assert link == f"{screen.url}#two-times"
    screen.goto("about:blank")
    screen.goto(link)
    expect(screen.locator("#two-times")).to_be_in_viewport(ratio=0.9)
    eventually(lambda: drawn(screen, "two-times-figure"), "the figure")
    expect(screen.locator("#two-times")).to_be_in_viewport(ratio=0.9)


def test_a_panel_fills_the_screen_until_that_is_left(site: str, screen: Page, run: MadeRun) -> None:
    screen.goto(f"{site}/runs/{run.id}/images/3")
    show(screen, FIGURE)
    before = screen.locator(f"#{FIGURE} .main-svg").first.bounding_box()
    tool(screen, "image-self-similarity", "full")
    eventually(
        lambda: screen.evaluate("(document.querySelector('.is-full') || {}).id") == "image-self-similarity", "it"
    )
    assert screen.evaluate("document.fullscreenElement !== null")
    expect(screen.locator("#recording [role=slider]")).to_be_in_viewport()
    eventually(lambda: _size(screen) > (1.8 * before["width"], 1.8 * before["height"]), "a larger figure")
    # What Escape does, which without a window Chromium does not see.
    screen.evaluate("document.exitFullscreen()")
    eventually(lambda: _size(screen) == (before["width"], before["height"]), "the figure as before")
    tool(screen, "image-self-similarity", "full")
    eventually(lambda: _size(screen) > (before["width"], before["height"]), "a larger figure")
    tool(screen, "image-self-similarity", "full")
    eventually(lambda: _size(screen) == (before["width"], before["height"]), "the figure as before")


def _size(screen: Page) -> tuple[float, float]:
    box = screen.locator(f"#{FIGURE} .main-svg").first.bounding_box()
    return box["width"], box["height"]


def test_the_switch_draws_figures_in_the_other_colours_and_is_remembered(site: str, screen: Page, run: MadeRun) -> None:
    screen.goto(f"{site}/runs/{run.id}/images/3?layer=1")
    _check_colours(screen, site, run, "light")
    screen.locator("#theme-switch").click()
    _check_colours(screen, site, run, "dark")
    screen.reload()
    _check_colours(screen, site, run, "dark")
    screen.locator("#theme-switch").click()
    _check_colours(screen, site, run, "light")


def _check_colours(screen: Page, site: str, run: MadeRun, scheme: str) -> None:
    """Page and figures have the colours of the scheme, as REST serves them."""
    expect(screen.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
    query = f"image=3&layer=1&scheme={scheme}"
    served = httpx.get(f"{site}/api/v1/runs/{run.id}/figures/image-self-similarity?{query}").json()
    colours = [trace["line"].get("color") for trace in served["data"]]
    ink = served["layout"]["template"]["layout"]["font"]["color"]

    def same() -> bool:
        lines = screen.evaluate(
            "id => (document.querySelector(`#${id} .js-plotly-plot`)?.data || []).map(({line}) => line.color ?? null)",
            FIGURE,
        )
        return lines == colours and layout_of(screen, FIGURE, "font.color") == ink

    eventually(same, f"the figure in {scheme} colours")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_hovering_says_of_several_lines_can_be_read(site: str, screen: Page, run: MadeRun, scheme: str) -> None:
    screen.emulate_media(color_scheme=scheme)
    screen.goto(f"{site}/runs/{run.id}/images/3")
    show(screen, FIGURE)
    point_at(screen, FIGURE, 2, drawn(screen, FIGURE)[-1]["y"][1], trace=5)
    label = screen.locator(f"#{FIGURE} .hoverlayer .legend")
    expect(label).to_contain_text("median")
    paper, *inks = label.evaluate(
        """label => [label.querySelector(".bg"), ...label.querySelectorAll("text")]
            .map((part) => getComputedStyle(part).fill)"""
    )
    assert min(_contrast(paper, ink) for ink in inks) >= 4.5


def _contrast(one: str, other: str) -> float:
    """Of two colours like "rgb(0, 128, 255)", as WCAG defines it: 1 to 21."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def select(screen: Page, *runs: int) -> None:
    for run_id in runs:
        screen.locator(f"#runs-grid .ag-row[row-id='{run_id}'] input[type=checkbox]").first.check()
    words = "1 run selected" if len(runs) == 1 else f"{len(runs)} runs selected"
    expect(screen.locator("#runs-selection")).to_have_text(words)


def made(count: int, tag: str) -> list[int]:
    return [make_run(images=4, count=2, name=f"{tag} {n}", tags=[tag, "old"]).id for n in range(count)]


def test_selected_runs_are_tagged_together(site: str, screen: Page) -> None:
    first, second, third = made(3, "tagged")
    screen.goto(f"{site}/?filter=tag:tagged")
    select(screen, first, third)
    screen.locator("#runs-tag").click()
    expect(screen.locator("#runs-tag-text")).to_have_text("2 runs")
    for field, tag in (("add", "fresh"), ("remove", "old")):
        screen.locator(f"#runs-tag-{field}").fill(tag)
        screen.keyboard.press("Enter")
    screen.locator("#runs-tag-confirm").click()
    for run_id, tags in ((first, ["fresh", "tagged"]), (second, ["old", "tagged"]), (third, ["fresh", "tagged"])):
        row = screen.locator(f"#runs-grid .ag-row[row-id='{run_id}'] .run-tag")
        eventually(lambda row=row, tags=tags: sorted(row.all_text_contents()) == tags, f"the tags of run {run_id}")
        assert httpx.get(f"{site}/api/v1/runs/{run_id}").json()["tags"] == tags


def test_selected_runs_are_compared(site: str, screen: Page) -> None:
    first, _, third = made(3, "compared")
    screen.goto(f"{site}/?filter=tag:compared")
    select(screen, third, first)
    screen.locator("#runs-compare").click()
    screen.wait_for_url("**/compare?*")
    assert parse_qs(urlsplit(screen.url).query) == {"runs": [f"{first},{third}"]}
    expect(screen.locator("#compare-what")).to_contain_text("2 runs")


def test_selected_runs_are_deleted_together_once_that_is_confirmed(site: str, screen: Page) -> None:
    first, second, third = made(3, "deleted")
    screen.goto(f"{site}/?filter=tag:deleted")
    select(screen, second, third)
    screen.locator("#runs-delete").click()
    expect(screen.locator("#runs-delete-text")).to_contain_text(
        f"“deleted 2” (run {third}), “deleted 1” (run {second}) with their recordings and files"
    )
    screen.locator("#runs-delete-keep").click()
    expect(screen.get_by_role("dialog")).to_be_hidden()
    assert rows(screen) == [str(third), str(second), str(first)]
    screen.locator("#runs-delete").click()
    screen.locator("#runs-delete-confirm").click()
    eventually(lambda: rows(screen) == [str(first)], "the run that is left")
    answers = [httpx.get(f"{site}/api/v1/runs/{run_id}").status_code for run_id in (first, second, third)]
    assert answers == [200, 404, 404]


def test_the_pager_turns_pages_of_a_hundred_runs(site: str, screen: Page) -> None:
    base = {"net": "mlp", "dataset": "digits"}
    with session_scope() as session:
        sweep = sweeps.submit(session, SweepSpec(name="Many", base=base, seeds=tuple(range(103)))).id
    asked = {"filter": f"sweep={sweep}", "sort": "-created"}
    first = httpx.get(f"{site}/api/v1/runs", params=asked | {"limit": 100}).json()
    second = httpx.get(f"{site}/api/v1/runs", params=asked | {"limit": 100, "cursor": first["next_cursor"]}).json()
    pages = [[str(one["id"]) for one in answer["runs"]] for answer in (first, second)]
    assert [len(ids) for ids in pages] == [100, 3]
    screen.goto(f"{site}/?filter=sweep%3D{sweep}")
    eventually(lambda: ids(screen) == pages[0], "the first page")
    assert rows(screen)[:5] == pages[0][:5]
    expect(screen.locator("#runs-count")).to_have_text("100 of 103 runs")
    expect(screen.locator("#runs-previous")).to_be_disabled()
    screen.locator("#runs-next").click()
    eventually(lambda: ids(screen) == pages[1], "the second page")
    assert rows(screen) == pages[1]
    expect(screen.locator("#runs-count")).to_have_text("3 of 103 runs")
    expect(screen.locator("#runs-next")).to_be_disabled()
    screen.locator("#runs-previous").click()
    eventually(lambda: ids(screen) == pages[0], "the first page again")


def ids(screen: Page) -> list[str]:
    """The runs of the table, those too that have to be scrolled to."""
    found: list[str] = screen.evaluate(
        """() => {
            const grid = document.querySelector("#runs-grid .ag-root") && window.dash_ag_grid.getApi("runs-grid");
            const found = [];
            if (grid) grid.forEachNode((node) => found.push(node.id));
            return found;
        }"""
    )
    return found
