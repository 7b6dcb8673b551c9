"""The pages of many runs, of a pair and of the paper in a real browser: what is drawn is what REST serves."""

import re

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, expect

from frontend import paper
from tests.made_runs import make_run
from tests.servers import eventually
from tests.test_browser import browser, drawn, page, screen, site

__all__ = ["browser", "page", "screen", "site"]

DECAYS = {"epochs": 6, "lr_schedule": {"milestones": [1, 3]}}


def rows(screen: Page) -> list[str]:
    """Numbers of the runs in the table, from top to bottom."""
    found = screen.locator("#runs-grid .ag-center-cols-container .ag-row")
    # All at once: between two questions the table may have dropped a row.
    places: list[list[str]] = found.evaluate_all(
        "rows => rows.map(row => [row.getAttribute('row-index'), row.getAttribute('row-id')])"
    )
    return [run for _, run in sorted(places, key=lambda place: int(place[0]))]


def test_runs_are_filtered_sorted_noted_and_tagged(site: str, screen: Page) -> None:
    for epochs in (3, 1, 2):
        make_run(images=4, count=2, epochs=epochs, net="mlp" if epochs < 3 else "alexnet", tags=[f"t{epochs}"])
    api = f"{site}/api/v1/runs"
    screen.goto(f"{site}/?filter=net%3Dmlp")
    eventually(lambda: rows(screen) == ["3", "2"], "the filtered runs")
    screen.locator("#runs-grid button.runs-header", has_text="Epochs").click()
    screen.wait_for_url(re.compile(r"[?&]sort=epochs"))
    eventually(lambda: rows(screen) == ["2", "3"], "the runs by epochs")
    screen.go_back()
    eventually(lambda: rows(screen) == ["3", "2"], "the runs as before")
    screen.locator("#runs-search").fill("epochs>=two")
    expect(screen.locator(".runs-search .mantine-InputWrapper-error")).to_contain_text("At position 9")
    assert rows(screen) == ["3", "2"]
    screen.locator("#runs-search").fill("tag:t3")
    eventually(lambda: rows(screen) == ["1"], "the run with the tag")
    cell = screen.locator("#runs-grid .ag-row[row-id='1'] [col-id=notes]")
    cell.dblclick()
    screen.locator(".ag-large-text textarea").fill("settles early")
    screen.keyboard.press("Enter")
    eventually(lambda: httpx.get(f"{api}/1").json()["notes"] == "settles early", "the notes in the database")
    screen.locator("#runs-grid .ag-row[row-id='1'] input[type=checkbox]").first.check()
    screen.locator("#runs-tag").click()
    screen.locator("#runs-tag-add").fill("paper")
    screen.keyboard.press("Enter")
    screen.locator("#runs-tag-confirm").click()
    eventually(lambda: httpx.get(f"{api}/1").json()["tags"] == ["paper", "t3"], "the tags in the database")
    expect(screen.locator("#runs-grid .ag-row[row-id='1'] .run-tag", has_text="paper")).to_be_visible()


def test_compared_runs_are_drawn_as_rest_serves_them(site: str, screen: Page) -> None:
    for seed in range(3):
        make_run(images=5, count=6, seed=seed, optimiser={"lr": 0.1 * (1 + seed // 2)}, **DECAYS)
    screen.goto(f"{site}/compare?runs=1,2,3&layer=2")
    courses = httpx.get(f"{site}/api/v1/compare/courses?runs=1,2,3&layer=2").json()["courses"]
    eventually(lambda: len(drawn(screen, "compare-overlay")) == 6, "the overlay")
    lines = [trace for trace in drawn(screen, "compare-overlay") if (trace["name"] or "").endswith(("0", "1", "2"))]
    for course in courses:
        assert any(line["y"] == pytest.approx(course["median"], abs=1e-5) for line in lines)
    served = httpx.get(f"{site}/api/v1/compare/early-to-mid?runs=1,2,3").json()
    dots = next(trace for trace in drawn(screen, "compare-ratios") if trace["name"] == "mlp")
    assert dots["x"] == pytest.approx([dot["ratio"] for dot in served["dots"]])
    assert dots["y"] == pytest.approx([dot["error"] for dot in served["dots"]])
    expect(screen.locator("#compare-differences thead")).to_contain_text("optimiser.lr")
    expect(screen.locator("#compare-differences .line-swatch")).to_have_count(3)
    screen.locator("#compare-legend button").nth(1).click()
    hidden = "document.querySelector('#compare-overlay .js-plotly-plot').data.map((trace) => trace.visible === false)"
    eventually(lambda: screen.evaluate(hidden) == [False, True, False] * 2, "a hidden line and its band")
    assert drawn(screen, "compare-outcomes")[0]["x"] == pytest.approx([0.1, 0.1, 0.2]), "the first number that differs"
    screen.locator("#compare-field").click()
    screen.get_by_role("option", name="seed").click()
    screen.wait_for_url(re.compile(r"[?&]field=seed"))
    eventually(lambda: drawn(screen, "compare-outcomes")[0]["x"] == [0, 1, 2], "seeds")
    screen.locator("#early-to-mid-ratio .numbers summary").click()
    expect(screen.locator("#early-to-mid-ratio .numbers-table tbody tr")).to_have_count(3)
    with screen.expect_download() as download:
        screen.locator("#over-training [data-tool=csv]").click()
    address = f"{site}/api/v1/compare/figures/over-training?runs=1,2,3&layer=2&field=seed&format=csv"
    assert download.value.path().read_text() == httpx.get(address).text
    screen.locator("#compare-statistic").get_by_text("Mean").click()
    screen.wait_for_url(re.compile(r"[?&]statistic=mean"))
    screen.locator("#compare-filter").fill("seed>0")
    screen.wait_for_url(re.compile(r"\?(?!.*runs=)"))
    expect(screen.locator("#compare-what")).to_contain_text("2 runs")


def test_a_pair_is_reached_from_the_image_and_drawn_as_rest_serves_it(site: str, screen: Page) -> None:
    run = make_run(images=9, count=5)
    screen.goto(f"{site}/runs/{run.id}/images/3?layer=2&partner=7&t=2")
    screen.locator("#open-pair").click()
    screen.wait_for_url(re.compile(rf"/runs/{run.id}/pairs/3/7"))
    api = f"{site}/api/v1/runs/{run.id}"
    eventually(lambda: len(drawn(screen, "pair-ranks-figure-7")) == 2, "the ranks")
    there, back = drawn(screen, "pair-ranks-figure-7")
    for trace, image, other in ((there, 3, 7), (back, 7, 3)):
        ranks = httpx.get(f"{api}/neighbours?layer=2&image={image}&other={other}").json()["ranks"]
        assert trace["y"] == [rank + 1 for rank in ranks]
    overlap = httpx.get(f"{api}/neighbours?layer=2&image=3&other=7").json()["closeness"]
    eventually(lambda: drawn(screen, "pair-closeness-figure-7"), "the overlap")
    assert drawn(screen, "pair-closeness-figure-7")[0]["y"] == overlap
    eventually(lambda: drawn(screen, "pair-layers-figure-7"), "the layers")
    cross = [httpx.get(f"{api}/cross-path?layer={k}&image=3&other=7&recording=2").json()["values"] for k in (1, 2)]
    assert drawn(screen, "pair-layers-figure-7")[0]["y"] == pytest.approx(cross, abs=1e-6)
    screen.locator("#step-on").click()
    screen.wait_for_url(re.compile(r"[?&]t=3"))


def test_a_paper_figure_submits_what_is_missing_and_shows_what_is_done(site: str, screen: Page) -> None:
    spec = paper.specs_of(paper.figure_of("5"), "small", [])[0].model_dump(mode="json")
    make_run(images=6, count=3, layers=4, **spec | {"probe": {"count": 6}})
    screen.goto(f"{site}/paper?figure=5")
    expect(screen.locator("#paper-title")).to_contain_text("Fig. 5")
    screen.locator("#paper-submit").click()
    expect(screen.locator("#paper-said")).to_have_text("1 run submitted")
    expect(screen.locator(".paper-needs")).to_contain_text("run 2")
    expect(screen.locator("#paper-submit")).to_be_hidden()
    assert httpx.get(f"{site}/api/v1/runs/2").json()["tags"] == ["paper", "small"]
    screen.locator("a.paper-figure", has_text="Fig. 7").click()
    expect(screen.locator("#paper-title")).to_contain_text("Fig. 7")
    expect(screen.locator("#paper-said")).to_be_empty()
    expect(screen.locator(".paper-small")).to_contain_text("not the paper's data")
    expect(screen.locator("#paper-cost")).to_contain_text("MB of checkpoints")
    made = make_run(images=6, count=8, **paper.specs_of(paper.figure_of("7"), "small", [])[0].model_dump(mode="json"))
    screen.reload()
    eventually(lambda: drawn(screen, "paper-chart-0"), "Fig. 7")
    served = httpx.get(f"{site}/api/v1/compare/early-to-mid?runs={made.id}").json()["dots"]
    assert drawn(screen, "paper-chart-0")[0]["x"] == pytest.approx([dot["ratio"] for dot in served])
    screen.locator(".paper-chart .explained summary", has_text="One dot a run").click()
    expect(screen.locator(".paper-chart .definition")).to_contain_text("least squares")
    screen.locator(".paper-numbers summary").click()
    expect(screen.locator(".paper-chart .numbers-table tbody tr")).to_have_count(1)
