import pkgutil
from importlib import import_module
from types import SimpleNamespace

import pytest
from dash import html
from dash.development.base_component import Component
from plotly.offline import get_plotlyjs_version

from backend.errors import NotFound
from frontend import app, pages, router
from frontend.live import concerns


def ids_in(component: Component) -> set[str]:
    found = {getattr(component, "id", None)}
    return found | {getattr(inner, "id", None) for inner in component._traverse()}


def page(template, layout):
    return SimpleNamespace(PATH_TEMPLATE=template, TITLE="Run {run_id}", layout=layout, register=lambda _app: None)


@pytest.mark.parametrize("path", ["/", "/new", "/new/"])
def test_every_path_of_the_first_pages_is_known(path):
    assert router.match(app.PAGES, path) is not None


def test_every_page_that_there_is_can_be_reached():
    modules = [import_module(f"frontend.pages.{found.name}") for found in pkgutil.iter_modules(pages.__path__)]
    assert {module for module in modules if hasattr(module, "PATH_TEMPLATE")} == set(app.PAGES)


@pytest.mark.parametrize("path", ["/nope", "/new/more", "/runs", "//"])
def test_unknown_path_has_no_page(path):
    found = router.match(app.PAGES, path)
    assert found is None or found.page.PATH_TEMPLATE == "/"


def test_match_gives_the_variables_of_the_path():
    found = router.match([page("/runs/<run_id>/images/<image>", None)], "/runs/4/images/17")
    assert found is not None
    assert found.variables == {"run_id": "4", "image": "17"}


def test_layout_gets_path_and_query():
    got = {}
    shown = page("/runs/<run_id>", lambda **variables: got.update(variables) or html.Div())
    _, title = router.render([shown], "/runs/4", "?layer=2&run_id=9")
    assert got == {"run_id": "4", "layer": "2"}
    assert title == "Run 4 · Pathscope"


def test_refusal_of_a_service_becomes_a_notice():
    def layout(**_variables):
        raise NotFound("there is no run 4")

    content, title = router.render([page("/runs/<run_id>", layout)], "/runs/4", "")
    assert "notice-page" in ids_in(content)
    assert title == "Not found · Pathscope"


@pytest.mark.parametrize(
    ("tick", "concerned"),
    [(None, True), ({"runs": None, "n": 1}, True), ({"runs": [3, 4], "n": 1}, True), ({"runs": [3], "n": 1}, False)],
)
def test_tick_concerns_a_run(tick, concerned):
    assert concerns(tick, 4) is concerned


def test_served_plotly_js_is_the_one_that_plotly_writes_for():
    served = (app.ASSETS / "plotly-cartesian.min.js").read_text(encoding="utf-8")[:200]
    assert f"plotly.js (cartesian - minified) v{get_plotlyjs_version()}\n" in served
