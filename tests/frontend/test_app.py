import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from frontend.app import create_app

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/new", "/runs/1", "/runs/1/images/2"])
def test_every_page_is_served_with_its_scripts_on_the_first_request(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "/assets/live.js" in answer.text
    assert re.search(r'<meta name="plotly-script" content="/assets/plotly-cartesian.min.js\?', answer.text)


def test_page_stands_without_the_scripts_that_it_may_not_need(client):
    page = client.get("/").text
    sources = re.findall(r'<script[^>]*?src="([^"]+)"', page)
    assert [source for source in sources if re.search("polyfill|ag_grid|plotly", source)] == []
    grid = re.search(r'<meta name="grid-script" content="([^"]+)"', page)
    assert grid is not None
    assert client.get(grid[1]).status_code == 200


def test_everything_that_a_page_loads_comes_from_this_server(client):
    page = client.get("/").text
    sources = re.findall(r'<(?:script|link)[^>]*?(?:src|href)="([^"]+)"', page)
    assert sources
    assert [source for source in sources if not source.startswith("/")] == []
    for source in sources:
        assert client.get(source).status_code == 200, source


def test_unknown_page_is_the_dashboard_with_404(client):
    answer = client.get("/no/such/page")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/api/v1/nope", "/api/nope"])
def test_unknown_path_of_the_api_is_no_page(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_unknown_asset_is_no_page(client):
    assert client.get("/assets/nope.js").status_code == 404


def test_scripts_are_compressed(client):
    answer = client.get("/assets/plotly-cartesian.min.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


def test_layout_comes_with_the_page_that_asks_for_it(client):
    asked = {"Referer": "http://testserver/new?epochs=5"}
    answer = client.get("/_dash-layout", headers=asked)
    assert "spec-submit" in answer.text
    assert "New run" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    address = answer.json()["props"]["children"][0]["props"]
    assert (address["pathname"], address["search"]) == ("/new", "?epochs=5")


def test_layout_for_nobody_has_no_page_yet(client):
    answer = client.get("/_dash-layout")
    assert "spec-submit" not in answer.text
    assert "pathname" not in answer.json()["props"]["children"][0]["props"]


def test_page_asks_for_its_layout_before_its_scripts(client):
    page = client.get("/").text
    assert page.index('href="/_dash-layout"') < page.index("<script")


def test_layout_and_callbacks_are_served(client):
    client.get("/")
    assert client.get("/_dash-layout").status_code == 200
    callbacks = client.get("/_dash-dependencies").json()
    assert any(callback["output"].startswith("..page.children") for callback in callbacks)
