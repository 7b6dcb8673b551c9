"""Slider, clicks, rectangles and gallery in a real browser, on both databases: what is chosen is what is shown."""

import re
from itertools import pairwise

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, expect

from benchmarks.made_laboratory import record, start
from tests.browser_figures import (
    COUNT,
    CURSORS,
    click_at,
    cursors,
    drag,
    equal,
    frame,
    layout_of,
    ring,
    run,
    show,
    site,
)
from tests.made_runs import MadeRun, make_run
from tests.servers import eventually
from tests.test_browser import browser, drawn, page, screen

__all__ = ["browser", "page", "run", "screen", "site"]

ORDER = [0, 3, 6, 1, 4, 7, 2, 5, 8]
"""Nine images by label, as the rows of the matrix."""


def at(screen: Page, t: int) -> bool:
    """Whether the window has lines at recordings, all of them at this one."""
    return set(cursors(screen).values()) == {t}


def test_play_shows_every_recording_at_the_chosen_speed_and_stops_at_the_last(
    site: str, screen: Page, run: MadeRun
) -> None:
    screen.goto(f"{site}/runs/{run.id}/images/3?t=0")
    eventually(lambda: len(cursors(screen)) >= 4 and at(screen, 0), "lines at the first recording")
    screen.locator("#speed").click()
    screen.get_by_role("option", name="10 / s").click()
    _note_cursors(screen)
    screen.locator("#play").click()
    eventually(lambda: screen.evaluate("window.labels") == ["Pause", "Play through the recordings"], "the end")
    shown, times = zip(*screen.evaluate("window.shown"), strict=True)
    assert shown == tuple(range(1, COUNT))
    pauses = [(later - earlier) / 1000 for earlier, later in pairwise(times)]
    assert 0.05 < min(pauses) < 0.4  # 0.5 s at the speed that is chosen at first
    expect(screen).not_to_have_url(re.compile("[?&]t="))  # at its end the slider follows what is to come
    expect(screen.locator("#recording-text")).to_have_text(f"t = {COUNT - 1}, epoch {COUNT - 1}")
    eventually(lambda: at(screen, COUNT - 1), "every line at the last recording")


def _note_cursors(screen: Page) -> None:
    """From now on `shown` holds where a figure's line was painted, and when; `labels` what the play button said."""
    screen.evaluate(
        f"""() => {{
            const cursors = {CURSORS}, name = Object.keys(cursors()).find((one) => one.startsWith("image-self"));
            window.shown = [];
            const note = () => {{
                const t = cursors()[name], last = window.shown[window.shown.length - 1];
                if (t !== undefined && (!last || last[0] !== t)) window.shown.push([t, performance.now()]);
            }};
            const figure = document.getElementById(name.split(" ")[0]);
            new MutationObserver(note).observe(figure, {{subtree: true, childList: true, attributes: true}});
            const play = document.getElementById("play"), label = () => window.labels.push(play.ariaLabel);
            window.labels = [];
            new MutationObserver(label).observe(play, {{attributes: true, attributeFilter: ["aria-label"]}});
        }}"""
    )


def test_stepping_moves_every_line_by_one_recording_and_no_further_than_the_ends(
    site: str, screen: Page, run: MadeRun
) -> None:
    screen.goto(f"{site}/runs/{run.id}?t=1")
    eventually(lambda: at(screen, 1), "lines at the recording of the address")
    last = COUNT - 1
    for button, t in (("back", 0), ("back", 0), *(("on", t) for t in (*range(1, COUNT), last)), ("back", last - 1)):
        screen.locator(f"#step-{button}").click()
        eventually(lambda t=t: at(screen, t), f"every line at {t}")
    expect(screen).to_have_url(re.compile(rf"[?&]t={last - 1}(&|$)"))


def test_the_keyboard_moves_the_slider_and_the_address_follows(site: str, screen: Page, run: MadeRun) -> None:
    screen.goto(f"{site}/runs/{run.id}/images/3?t=2")
    eventually(lambda: at(screen, 2), "lines at the recording of the address")
    screen.locator("#recording [role=slider]").focus()
    for key, t in (("ArrowRight", 3), ("ArrowLeft", 2), ("ArrowLeft", 1), ("End", COUNT - 1), ("Home", 0)):
        screen.keyboard.press(key)
        eventually(lambda t=t: at(screen, t), f"every line at {t}")
        expect(screen).to_have_url(re.compile(r"^[^?]*(\?(?!.*t=).*)?$" if t == COUNT - 1 else rf"[?&]t={t}(&|$)"))
        expect(screen.locator("#recording [role=slider]")).to_have_attribute("aria-valuenow", str(t))
        spoken = f"t = {t}, epoch {t}"
        expect(screen.locator("#recording [role=slider]")).to_have_attribute("aria-valuetext", spoken)


def test_a_slider_at_its_end_follows_new_recordings_and_any_other_stays(site: str, screen: Page) -> None:
    run = make_run(images=6, count=3)
    start(run.id)
    screen.goto(f"{site}/runs/{run.id}/images/3?t=1")
    eventually(lambda: at(screen, 1), "lines at the chosen recording")
    record(run.id)
    eventually(lambda: max(drawn(screen, "image-layers-figure")[0]["x"]) == 3, "the newest in the figure")
    assert at(screen, 1)
    assert screen.locator("#recording-text").text_content() == "t = 1, epoch 1"
    screen.locator("#recording [role=slider]").press("End")
    eventually(lambda: at(screen, 3), "lines at the newest recording")
    record(run.id)
    eventually(lambda: at(screen, 4), "lines at the newer one")
    expect(screen.locator("#recording-text")).to_have_text("t = 4, epoch 4")
    screen.locator("#step-back").click()
    eventually(lambda: at(screen, 3), "lines at the chosen recording")
    screen.locator("#follow").click()
    eventually(lambda: at(screen, 4), "lines at the newest recording again")


def test_a_rectangle_lists_the_pairs_that_rest_finds_in_it_and_one_of_them_can_be_chosen(
    site: str, screen: Page, run: MadeRun
) -> None:
    screen.goto(f"{site}/runs/{run.id}?layer=2&t=3")
    api = f"{site}/api/v1/runs/{run.id}/overlap"
    overlaps = sorted(httpx.get(f"{api}?layer=2&recording=3").json()["overlap"])
    drag(screen, "overlap-distance-figure", (0.25, overlaps[5] + 0.5), (0.75, overlaps[-5] + 0.5))
    listed = screen.locator("#pairs-inside .pair")
    listed.first.wait_for()
    box = layout_of(screen, "overlap-distance-figure", "selections")[0]
    (left, right), (low, high) = (sorted((box[f"{axis}0"], box[f"{axis}1"])) for axis in "xy")
    assert (left, right) == pytest.approx((0.25, 0.75), abs=0.01)
    place = {"layer": 2, "recording": 3, "same_label": False}
    sides = {"distance_from": left, "distance_to": right, "overlap_from": low, "overlap_to": high}
    found = httpx.get(f"{api}/pairs", params=place | sides).json()
    expected = [[str(image), str(other)] for image, other in zip(found["image"], found["other"], strict=True)]
    assert 3 < len(expected) < len(overlaps) / 2
    assert listed.evaluate_all("pairs => pairs.map(({dataset}) => [dataset.image, dataset.partner])") == expected
    words = [f"{d:.2f} apart, {o:g} units shared" for d, o in zip(found["distance"], found["overlap"], strict=True)]
    assert listed.locator("small").all_text_contents() == words
    expect(screen.locator("#pairs-inside p")).to_contain_text(f"{len(expected)} pairs of different labels")
    listed.nth(2).click()
    _check_chosen(screen, site, run, int(expected[2][0]), int(expected[2][1]))


def _check_chosen(screen: Page, site: str, run: MadeRun, image: int, partner: int) -> None:
    """The pair is in the address, below the matrix, framed in it on both sides of the diagonal, and ringed."""
    expect(screen).to_have_url(re.compile(rf"[?&]image={image}&partner={partner}(&|$)"))
    links = screen.locator("#chosen-pair a")
    expect(links).to_have_count(3)
    assert links.evaluate_all("links => links.map((one) => one.pathname)") == [
        f"/runs/{run.id}/images/{image}",
        f"/runs/{run.id}/images/{partner}",
        f"/runs/{run.id}/pairs/{image}/{partner}",
    ]
    place = [ORDER.index(image), ORDER.index(partner)]
    for name, middle in (("pair", place), ("mirror", place[::-1])):
        eventually(lambda name=name, middle=middle: frame(screen, "pair-matrix-figure", name) == middle, name)
    query = {"layer": 2, "recording": 3, "image": image, "other": partner}
    found = httpx.get(f"{site}/api/v1/runs/{run.id}/overlap/pairs", params=query).json()
    distance, overlap = found["distance"][0], found["overlap"][0]
    words = f"at t = 3: {distance:.2f} apart in data space, {overlap} units shared"
    expect(screen.locator("#chosen-pair-measured")).to_have_text(words)
    show(screen, "overlap-distance-figure")
    half = "x2" if image % 3 == partner % 3 else "x"
    place = [half, pytest.approx(distance, abs=1e-3), pytest.approx(overlap, abs=0.05)]
    eventually(lambda: ring(screen, "overlap-distance-figure") == place, "the ring around the pair")


def test_a_click_on_a_cell_of_the_matrix_chooses_its_pair(site: str, screen: Page, run: MadeRun) -> None:
    screen.goto(f"{site}/runs/{run.id}?layer=2&t=3")
    click_at(screen, "pair-matrix-figure", ORDER.index(4), ORDER.index(2))
    _check_chosen(screen, site, run, 2, 4)
    click_at(screen, "pair-matrix-figure", ORDER.index(8), ORDER.index(5))
    _check_chosen(screen, site, run, 5, 8)


def test_a_click_on_the_training_curves_goes_to_that_recording(site: str, screen: Page, run: MadeRun) -> None:
    screen.goto(f"{site}/runs/{run.id}?t=1")
    losses = [one["test_accuracy"] for one in httpx.get(f"{site}/api/v1/runs/{run.id}/recordings").json()]
    click_at(screen, "training-figure", 4, losses[4], trace=3)
    expect(screen).to_have_url(re.compile(r"[?&]t=4(&|$)"))
    eventually(lambda: at(screen, 4), "every line at the recording")


@pytest.mark.parametrize(("where", "figure"), [("", "layer-medians-figure"), ("/images/3", "image-layers-figure")])
def test_a_click_on_layers_and_time_chooses_both(
    site: str, screen: Page, run: MadeRun, where: str, figure: str
) -> None:
    screen.goto(f"{site}/runs/{run.id}{where}")
    click_at(screen, figure, 4, 3)
    expect(screen).to_have_url(re.compile(r"[?&]layer=3&t=4(&|$)"))
    expect(screen.locator("#layer")).to_have_value(re.compile("^3 · "))
    eventually(lambda: at(screen, 4), "every line at the recording")
    eventually(lambda: frame(screen, figure, "row")[1] == 3, "the frame around the layer")
    click_at(screen, figure, 2, 1)
    expect(screen).to_have_url(re.compile(r"[?&]layer=1&t=2(&|$)"))
    eventually(lambda: frame(screen, figure, "row")[1] == 1, "the frame around the other layer")
    _check_layer(screen, site, run, where)


def _check_layer(screen: Page, site: str, run: MadeRun, where: str) -> None:
    """The figure beside it shows layer 1 as well."""
    api = f"{site}/api/v1/runs/{run.id}"
    if where:
        figure, line = (
            "image-self-similarity-figure",
            httpx.get(f"{api}/self-similarity?layer=1&image=3").json()["values"],
        )
    else:
        spread = httpx.get(f"{api}/cross-path?layer=1").json()
        middle = spread["quantile_levels"].index(0.5)
        figure, line = "cross-path-figure-path", [quantiles[middle] for quantiles in spread["quantiles"]]
    show(screen, figure)
    eventually(lambda: any(equal(trace["y"], line) for trace in drawn(screen, figure)), "layer 1 beside it")


def test_the_gallery_is_sorted_by_what_rest_says_of_the_images(site: str, screen: Page, run: MadeRun) -> None:
    states = httpx.get(f"{site}/api/v1/runs/{run.id}/image-states?layer=1&recording=1").json()
    assert states["loss"][0] is None  # what is undefined comes last
    screen.goto(f"{site}/runs/{run.id}?layer=1&t=1")
    screen.locator("#gallery").scroll_into_view_if_needed()
    expect(screen.locator("#gallery .verdict")).to_have_count(9)
    rising = {"self_similarity": 1, "cross_path": 1, "churn": -1, "loss": -1}
    for key in ("index", "label", *rising):
        screen.locator(f"button[data-option='gallery.sort'][data-value={key}]").click()
        if key in rising:
            values = [rising[key] * value if value is not None else float("inf") for value in states[key]]
        else:
            values = [0.0 if key == "index" else i % 3 for i in range(9)]
        expected = sorted(range(9), key=lambda i, values=values: (values[i], i))
        eventually(lambda expected=expected: tiles(screen) == expected, f"the order by {key}")


def tiles(screen: Page) -> list[int]:
    """The images of the gallery that are shown, in order."""
    links = screen.locator("#gallery a.tile:visible").evaluate_all("links => links.map((one) => one.pathname)")
    return [int(link.rsplit("/", 1)[1]) for link in links]


def test_the_gallery_is_searched_by_index_and_class_and_left_with_the_keyboard(
    site: str, screen: Page, run: MadeRun
) -> None:
    screen.goto(f"{site}/runs/{run.id}?layer=2")
    screen.locator("#gallery").scroll_into_view_if_needed()
    expect(screen.locator("#gallery .verdict")).to_have_count(9)
    screen.locator("#gallery-find").focus()
    screen.keyboard.type("7")
    eventually(lambda: tiles(screen) == [7], "the image of this index")
    screen.keyboard.press("Backspace")
    eventually(lambda: tiles(screen) == [0, 3, 6, 1, 4, 7, 2, 5, 8], "all images")
    screen.locator("#gallery-find").fill("class 2")
    eventually(lambda: tiles(screen) == [2, 5, 8], "the images of this class")
    expect(screen.locator("#gallery-count")).to_contain_text("3 images")
    expect(screen).to_have_url(re.compile(r"gallery\.find=class\+2"))
    for _ in range(2):
        screen.keyboard.press("Tab")
    screen.keyboard.press("Enter")
    screen.wait_for_url(re.compile(rf"/runs/{run.id}/images/5\?layer=2"))
    show(screen, "image-self-similarity-figure")
