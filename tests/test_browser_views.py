"""Every view on its page in a real browser, on both databases: what Plotly drew is what REST serves."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from playwright.sync_api import Page

from frontend.views.registry import VIEWS
from tests.made_runs import MadeRun, make_run
from tests.servers import eventually, serving
from tests.test_browser import browser, drawn, page, screen

__all__ = ["browser", "page", "screen"]

CHOSEN = {"layer": 2, "recording": 3, "image": 4, "partner": 7}
PAGES = {"": "", "/images/4": "&partner=7", "/pairs/4/7": ""}


@pytest.fixture
def site(database: str, home: Path) -> Iterator[str]:
    with serving(home) as url:
        yield url


def test_every_view_draws_what_rest_serves(site: str, screen: Page) -> None:
    run = make_run(
        images=9,
        count=6,
        layers=3,
        epochs=6,
        quantities=["path", "projection", "image_function"],
        **{"lr_schedule": {"milestones": [1, 3]}},
    )
    seen: set[str] = set()
    for where, also in PAGES.items():
        screen.goto(f"{site}/runs/{run.id}{where}?layer=2&t=3{also}")
        seen |= {_check(screen, site, run, figure) for figure in _figures(screen)}
    assert seen == set(VIEWS)


def _figures(screen: Page) -> list[dict[str, Any]]:
    """Each place of a figure on this page: its id, its view and what the page fixes."""
    screen.locator(".figure[data-view]").first.wait_for()
    found: list[dict[str, Any]] = screen.locator(".figure[data-view]").evaluate_all(
        "figures => figures.map(({id, dataset: {view, fixed}}) => ({id, view, fixed: JSON.parse(fixed)}))"
    )
    return found


def _check(screen: Page, site: str, run: MadeRun, figure: dict[str, Any]) -> str:
    """Scroll to a figure, and compare its traces with REST's; returns the view's name."""
    view = VIEWS[figure["view"]]
    # A page may keep a parameter to itself, and follow it in the browser alone: what is drawn is the same.
    asked = {name: CHOSEN[name] for name in view.parameters if name in CHOSEN} | figure["fixed"]
    answer = httpx.get(f"{site}/api/v1/runs/{run.id}/figures/{view.name}", params=asked)
    assert answer.status_code == 200, answer.text
    served = [_traced(trace) for trace in answer.json()["data"]]
    screen.locator(f"#{figure['id']}").scroll_into_view_if_needed()
    eventually(lambda: _same(drawn(screen, figure["id"]), served), f"{figure['id']} as REST serves it")
    return view.name


def _traced(trace: dict[str, Any]) -> dict[str, Any]:
    return {axis: _numbers(trace.get(axis)) for axis in "xyz"}


def _numbers(values: Any) -> Any:
    """As lists: Plotly's JSON has arrays of numbers as base64."""
    if not isinstance(values, dict):
        return values
    array = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]))
    shape = [int(side) for side in str(values.get("shape", array.size)).split(",")]
    return array.reshape(shape).tolist()


def _same(there: list[dict[str, Any]], served: list[dict[str, Any]]) -> bool:
    return len(there) == len(served) and all(
        _equal(one[axis], other[axis])
        for one, other in zip(there, served, strict=True)
        for axis in "xyz"
        if other[axis] is not None
    )


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(np.allclose(np.array(one, float), np.array(other, float), equal_nan=True))
    except (TypeError, ValueError):
        return bool(one == other)
