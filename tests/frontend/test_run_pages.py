"""The pages of a run and of an image are laid out for every state, and what does not exist is refused."""

import json

import pytest
from fastapi.testclient import TestClient
from plotly.utils import PlotlyJSONEncoder

from backend.db import read_scope, session_scope
from backend.errors import NotFound
from backend.schemas import Quantity, RunSpec
from backend.services import runs, statistics
from frontend.app import create_app
from frontend.components.facts import read_facts
from frontend.pages import image, run
from tests.made_runs import make_run


@pytest.fixture
def client(home):
    with TestClient(create_app(), base_url="http://127.0.0.1:8000") as client:
        yield client


def text_of(component):
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def submit():
    with session_scope() as session:
        return runs.submit(session, RunSpec(net="mlp", dataset="digits"))[0]


def test_run_page_when_finished_knows_every_probe_image(home):
    made = make_run()
    page = text_of(run.layout(str(made.id)))
    assert all(f'"#{i} · ' in page for i in range(made.images))


def test_run_page_when_queued_without_a_worker_says_how_to_start_one(home):
    page = text_of(run.layout(str(submit().id)))
    assert "No worker is running" in page
    assert "pathscope worker" in page


def test_image_page_when_the_run_waits_is_there_for_any_image_that_may_come(home):
    waiting = submit()
    assert "known once the data is loaded" in text_of(image.layout(str(waiting.id), "255"))
    with pytest.raises(NotFound):
        image.layout(str(waiting.id), "256")


def test_image_page_when_the_address_selects_shows_it(home):
    made = make_run()
    page = text_of(image.layout(str(made.id), "3", layer="2", t="1", sort="value", quantity="activation"))
    assert '"id": "layer"' in page
    assert "class 0 (label 0) · training image 30" in page


@pytest.mark.parametrize(("run_id", "number"), [("1", "8"), ("1", "x"), ("99", "0"), ("²", "0"), ("1", "-1")])
def test_image_page_when_there_is_no_such_image_or_run_is_refused(home, run_id, number):
    make_run()
    with pytest.raises(NotFound):
        image.layout(run_id, number)


def test_facts_when_a_recording_is_new_have_another_version(client):
    made = make_run()
    address = f"/api/v1/runs/{made.id}/facts"
    first = client.get(address)
    assert first.json() == read_facts(made.id)
    assert first.json()["epochs"] == [0.0, 1.0, 2.0, 3.0]
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    longer = make_run(count=5)
    assert read_facts(longer.id)["version"] != first.json()["version"]


def test_facts_when_the_run_waits_are_not_kept(client):
    answer = client.get(f"/api/v1/runs/{submit().id}/facts")
    assert answer.status_code == 200
    assert answer.json()["layers"] == answer.json()["epochs"] == []
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_followed_when_asked_for_holds_everyone_who_was_ever_near(client):
    made = make_run()
    found = client.get(f"/api/v1/runs/{made.id}/images/3/followed", params={"layer": 2, "quantity": "path"})
    sent = found.json()
    with read_scope() as session:
        data = statistics.neighbours_of_image(session, made.id, Quantity.PATH, 2, 3)
    assert sent["nearest"] == data.nearest.tolist()
    assert {int(one) for one in sent["ranks"]} == {one for row in sent["nearest"] for one in row if one >= 0}
    for other, ranks in sent["ranks"].items():
        assert ranks == data.ranks[:, int(other)].tolist()
        assert sent["closeness"][other] == pytest.approx(data.closeness[:, int(other)].tolist())
    assert len(sent["churn"]) == made.recordings


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("1/images/0/followed?layer=9", 404),
        ("1/images/99/followed?layer=1", 404),
        ("1/images/0/followed", 422),
        ("7/facts", 404),
        ("7/images/0/followed?layer=1", 404),
    ],
)
def test_followed_when_there_is_no_such_thing_says_what_there_is(client, address, status):
    make_run()
    found = client.get(f"/api/v1/runs/{address}")
    assert found.status_code == status
    assert found.headers["content-type"] == "application/problem+json"
