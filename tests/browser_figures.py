"""What a reader does with a figure in the browser, and what of it only the drawn figure knows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.made_runs import MadeRun, make_run
from tests.servers import eventually, serving
from tests.test_browser import drawn

COUNT = 6
"""Recordings of the run."""

_FIGURE = """
    const plot = document.querySelector(`#${id} .js-plotly-plot`), full = plot && plot._fullLayout;
    const axis = (name) => full[`${name[0]}axis${name.slice(1)}`];
"""
_PLACE = f"""([id, trace, x, y]) => {{
    {_FIGURE}
    if (!full || !(plot._fullData || [])[trace]) return null;
    plot.scrollIntoView({{block: "center", behavior: "instant"}});
    const box = plot.getBoundingClientRect(), {{xaxis, yaxis}} = plot._fullData[trace];
    const [across, up] = [axis(xaxis), axis(yaxis)];
    return [box.x + across._offset + across.r2p(x), box.y + up._offset + up.r2p(y)];
}}"""
_HOVERED = f"""([id, trace, x, y]) => {{
    {_FIGURE}
    return (plot._hoverdata || []).some((point) => point.curveNumber === trace && point.x === x && point.y === y);
}}"""
_FRAME = f"""([id, name]) => {{
    {_FIGURE}
    if (!full) return null;
    const n = (full.shapes || []).findIndex((shape) => shape.name === name);
    const path = plot.querySelector(`.shapelayer path[data-index="${{n}}"]`);
    if (!path) return null;
    const [left, top, right, bottom] = path.getAttribute("d").match(/-?[\\d.]+(e-\\d+)?/g).map(Number);
    const across = axis(full.shapes[n].xref), up = axis(full.shapes[n].yref);
    return [(left + right) / 2 - across._offset, (top + bottom) / 2 - up._offset].map((pixel, n) =>
        Math.round(1000 * [across, up][n].p2r(pixel)) / 1000);
}}"""
_RING = f"""(id) => {{
    {_FIGURE}
    const n = full ? (full.shapes || []).findIndex((shape) => shape.name === "chosen-pair" && shape.visible) : -1;
    const path = n < 0 ? null : plot.querySelector(`.shapelayer path[data-index="${{n}}"]`);
    if (!path) return null;
    const {{xref, yref}} = full.shapes[n], box = path.getBBox();
    const across = axis(xref), up = axis(yref), [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    return [xref, across.p2r(x - across._offset), up.p2r(y - up._offset)];
}}"""
CURSORS = """() => Object.fromEntries([...document.querySelectorAll(".figure .js-plotly-plot")].flatMap((plot) => {
    const box = plot.getBoundingClientRect(), full = plot._fullLayout;
    if (!full || box.bottom <= 0 || box.top >= window.innerHeight) return [];
    return (full.shapes || []).flatMap(({name, xref}, n) => {
        const path = plot.querySelector(`.shapelayer path[data-index="${n}"]`);
        if (!path || !xref || !["cursor", "epoch"].includes(name)) return [];
        const axis = full[`xaxis${xref.slice(1)}`];
        const pixel = Number(path.getAttribute("d").match(/^M(-?[\\d.]+)/)[1]);
        return [[`${plot.closest(".figure").id} ${n}`, Math.round(1000 * axis.p2r(pixel - axis._offset)) / 1000]];
    });
}))"""


@pytest.fixture(scope="module")
def site(shared_home: Path) -> Iterator[str]:
    """A server for all tests of this module."""
    with serving(shared_home) as url:
        yield url


@pytest.fixture(scope="module")
def run(site: str) -> MadeRun:
    """A run that no test changes."""
    return make_run(images=9, count=COUNT, layers=3, epochs=COUNT)


def show(page: Page, figure: str) -> None:
    """Scroll to a figure, and wait until it is drawn."""
    page.locator(f"#{figure}").scroll_into_view_if_needed()
    eventually(lambda: drawn(page, figure), f"the figure {figure}")


def cursors(page: Page) -> dict[str, float]:
    """Where each line at the recording is painted in the figures of the window, by the axis of its figure."""
    found: dict[str, float] = page.evaluate(CURSORS)
    return found


def frame(page: Page, figure: str, name: str) -> list[float] | None:
    """The middle of the painted rectangle of this name, in the figure's coordinates; None where there is none."""
    middle: list[float] | None = page.evaluate(_FRAME, [figure, name])
    return middle


def ring(page: Page, figure: str) -> list[Any] | None:
    """In which half the ring around the chosen pair is painted, and its middle in the figure's coordinates."""
    place: list[Any] | None = page.evaluate(_RING, figure)
    return place


def point_at(page: Page, figure: str, x: float, y: float, trace: int = 0) -> None:
    """Rest on what a trace has at these coordinates, until the figure says that it is what the pointer is on."""
    show(page, figure)

    def rests() -> bool:
        page.mouse.move(*page.evaluate(_PLACE, [figure, trace, x, y]))
        return bool(page.evaluate(_HOVERED, [figure, trace, x, y]))

    eventually(rests, f"the pointer on {x}, {y} of {figure}")


def click_at(page: Page, figure: str, x: float, y: float, trace: int = 0) -> None:
    """Click what a trace has at these coordinates."""
    point_at(page, figure, x, y, trace)
    page.mouse.down()
    page.mouse.up()


def drag(page: Page, figure: str, start: tuple[float, float], end: tuple[float, float], trace: int = 0) -> None:
    """Draw a rectangle between two places in the coordinates of a trace."""
    show(page, figure)
    page.mouse.move(*page.evaluate(_PLACE, [figure, trace, *start]))
    page.mouse.down()
    page.mouse.move(*page.evaluate(_PLACE, [figure, trace, *end]), steps=5)
    page.mouse.up()


def layout_of(page: Page, figure: str, part: str) -> Any:
    """A part of the layout as it is drawn, `xaxis.range` for one."""
    return page.evaluate(
        "([id, part]) => part.split('.').reduce((whole, name) => whole[name],"
        " document.querySelector(`#${id} .js-plotly-plot`)._fullLayout)",
        [figure, part],
    )


def equal(one: Any, other: Any) -> bool:
    """Nested lists of numbers that are the same to a millionth; null only where there is null."""
    try:
        return bool(np.allclose(np.array(one, float), np.array(other, float), atol=1e-6, equal_nan=True))
    except (TypeError, ValueError):
        return bool(one == other)
