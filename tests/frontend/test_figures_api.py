"""Every figure over REST, in every format, against what was written."""

import csv
import io
import json
from base64 import b64encode
from hashlib import sha256

import numpy as np
import pyarrow.parquet as parquet
import pytest
import zstandard
from fastapi.testclient import TestClient
from plotly.io import from_json
from plotly.io.json import to_json_plotly

from backend.db import session_scope
from backend.models import Recording, now
from backend.schemas import Measure
from frontend.app import create_app
from frontend.components.facts import read_facts
from frontend.components.panel import view_panel
from frontend.views.registry import VIEWS
from tests.made_runs import make_run

EVERYTHING = {
    "quantities": ["path", "projection", "image_function"],
    "lr_schedule": {"milestones": [1, 2]},
    "epochs": 4,
}


@pytest.fixture
def client(home):
    with TestClient(create_app()) as client:
        yield client


def get(client, run, name, **query):
    answer = client.get(f"/api/v1/runs/{run.id}/figures/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return answer


def test_figure_when_the_reader_has_it_is_sent_again_only_after_a_new_recording(client):
    run = make_run()
    before = get(client, run, "training")
    known = {"If-None-Match": before.headers["ETag"]}
    again = client.get(f"/api/v1/runs/{run.id}/figures/training", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"/api/v1/runs/{run.id}/figures/training", headers={"Accept-Encoding": "identity"})
    assert other.json() == before.json()
    with session_scope() as session:
        session.get_one(Recording, (run.id, 3)).train_loss = 0.625
        session.get_one(Recording, (run.id, 3)).created_at = now()
    after = client.get(f"/api/v1/runs/{run.id}/figures/training", headers=known)
    assert after.status_code == 200
    assert after.json()["data"][0]["y"][-1] == 0.625


def test_figure_when_the_browser_has_an_earlier_one_is_sent_as_the_difference(client):
    run = make_run()
    address = f"/api/v1/runs/{run.id}/figures/cross-path?layer=1&scheme=light"
    before = client.get(address, headers={"Accept-Encoding": "identity"})
    assert before.headers["Use-As-Dictionary"] == 'match="' + address.replace("?", "\\\\?") + '"'
    with session_scope() as session:
        session.get_one(Recording, (run.id, 3)).created_at = now()
    earlier = sha256(before.content).digest()
    asked = {"Accept-Encoding": "gzip, dcz", "Available-Dictionary": f":{b64encode(earlier).decode()}:"}
    with client.stream("GET", address, headers=asked) as answer:
        sent = b"".join(answer.iter_raw())
        assert answer.headers["Content-Encoding"] == "dcz"
    assert sent[:40] == bytes.fromhex("5e2a4d1820000000") + earlier
    dictionary = zstandard.ZstdCompressionDict(before.content, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    assert zstandard.ZstdDecompressor(dict_data=dictionary).decompress(sent[40:]) == before.content
    assert len(sent) < len(before.content) / 20
    unknown = asked | {"Available-Dictionary": f":{b64encode(bytes(32)).decode()}:"}
    assert client.get(address, headers=unknown).headers["Content-Encoding"] == "gzip"


def test_list_of_a_run_that_recorded_everything_offers_every_figure(client):
    listed = client.get(f"/api/v1/runs/{make_run(**EVERYTHING).id}/figures").json()
    assert [(one["name"], one["reason"]) for one in listed if not one["available"]] == []


def test_list_names_every_figure_and_what_it_takes(client):
    listed = client.get(f"/api/v1/runs/{make_run().id}/figures").json()
    assert [one["name"] for one in listed] == list(VIEWS)
    one = next(one for one in listed if one["name"] == "image-cross-path")
    assert one["parameters"] == [
        {"name": "image", "required": True, "values": None},
        {"name": "layer", "required": False, "values": None},
        {"name": "quantity", "required": False, "values": ["path"]},
        {"name": "order", "required": False, "values": ["label", "value"]},
    ]
    assert one["available"]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_every_figure_is_drawn_and_has_a_table_whatever_is_recorded(client, count):
    run = make_run(count=count, **EVERYTHING)
    for view in VIEWS.values():
        query = {name: {"partner": 3}.get(name, 2) for name in view.required}
        answer = client.get(f"/api/v1/runs/{run.id}/figures/{view.name}", params=query)
        if count == 0 and answer.status_code == 409:
            continue
        assert answer.status_code == 200, answer.text
        figure = from_json(answer.text)
        assert figure.data or figure.layout.annotations[0].text
        table = get(client, run, view.name, format="table", **query).json()
        assert len(table["rows"]) == table["total"]
        assert {len(row) for row in table["rows"]} <= {len(table["columns"])}
        assert count < 4 or table["total"] > 0


def test_csv_and_parquet_hold_the_numbers_that_were_written(client):
    run = make_run()
    text = get(client, run, "cross-path", layer=2, format="csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    expected = [np.nanmedian(run.arrays[Measure.CROSS_PATH, 2, t].astype(float)) for t in (1, 2, 3)]
    assert [int(row["recording"]) for row in rows] == [1, 2, 3]
    assert [float(row["quantile_0.5"]) for row in rows] == pytest.approx(expected)
    assert [int(row["undefined"]) for row in rows] == [0, 0, 0]
    table = parquet.read_table(io.BytesIO(get(client, run, "cross-path", layer=2, format="parquet").content))
    assert table["quantile_0.5"].to_pylist() == pytest.approx(expected)


def test_undefined_numbers_are_blank_in_csv_and_null_in_parquet_and_tables(client):
    run = make_run()
    query = {"image": 0, "layer": 1}
    rows = list(csv.DictReader(io.StringIO(get(client, run, "image-cross-path", format="csv", **query).text)))
    blank = [(int(row["recording"]), int(row["image"])) for row in rows if row["cross_path"] == ""]
    assert blank == [(1, 0), (1, 1), (2, 0), (3, 0)]
    table = parquet.read_table(io.BytesIO(get(client, run, "image-cross-path", format="parquet", **query).content))
    assert table["cross_path"].null_count == 4
    shown = get(client, run, "image-cross-path", format="table", rows=2, **query).json()
    assert [row[-1] for row in shown["rows"]] == [None, None]
    assert shown["total"] == 24


def test_html_stands_alone_and_says_what_it_shows(client):
    text = get(client, make_run(), "training", format="html").text
    assert "Learning · run 1" in text
    assert VIEWS["training"].shows in text
    assert "src=" not in text.split("</head>")[1]


def test_pictures_are_drawn_in_the_size_that_is_asked_for(client):
    run = make_run()
    svg = get(client, run, "cross-path", format="svg", layer=1, width=700, height=350)
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.headers["content-disposition"] == 'attachment; filename="run1-cross-path-layer1.svg"'
    assert 'width="700"' in svg.text
    assert "Cross-path similarity · run 1, layer 1, path" in svg.text


def test_picture_without_a_browser_says_what_to_install(client, monkeypatch):
    run = make_run()
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")
    answer = client.get(f"/api/v1/runs/{run.id}/figures/training?format=png")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "apt-get install chromium" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        ("nothing", 404, "there is no figure 'nothing'; there are training, cross-path"),
        ("cross-path?layer=3", 422, "layer: this run has 1 to 2"),
        ("cross-path?quantity=activation", 422, "quantity: this run records path"),
        ("cross-path?image=1", 422, "the figure cross-path does not have it; it takes layer, quantity"),
        ("image-layers", 422, "image: the figure image-layers needs it"),
        ("image-layers?image=8", 422, "image: this run has 0 to 7"),
        ("pair-cross-path?image=1&partner=1", 422, "two different images"),
        ("neighbour-ranks?image=1&recording=9", 422, "recording: this run has 0 to 3"),
        ("image-cross-path?image=1&order=cluster", 422, "ordered by label, value"),
        ("training?format=pdf", 422, "format"),
        ("training?colour=red", 422, "colour"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(client, call, status, said):
    answer = client.get(f"/api/v1/runs/{make_run().id}/figures/{call}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in answer.json()["detail"]


def test_figures_are_documented(client):
    document = client.get("/api/openapi.json").json()
    described = document["paths"]["/api/v1/runs/{run_id}/figures/{name}"]["get"]
    assert {"200", "404", "409", "422", "503"} <= set(described["responses"])
    assert {one["name"] for one in described["parameters"]} >= {"layer", "quantity", "format", "recording"}


def test_a_run_that_keeps_no_paths_has_no_map_of_one_image_and_its_page_does_not_ask_for_it(client):
    run = make_run(paths="none")
    answer = client.get(f"/api/v1/runs/{run.id}/figures/image-two-times?image=1")
    said = "does not keep the paths of every recording: submit one with “Paths” as quantity, and “All” of them kept"
    assert (answer.status_code, answer.json()["detail"]) == (404, f"run {run.id} {said}")
    assert "all_paths" not in read_facts(run.id)["recorded"]
    assert "all_paths" in read_facts(make_run().id)["recorded"]
    panel = to_json_plotly(view_panel(VIEWS["image-two-times"]))
    assert '"data-needs":"all_paths"' in panel
    assert json.dumps(f"This run {said}.", ensure_ascii=panel.isascii()) in panel


@pytest.mark.parametrize("call", ["training?", "neighbour-closeness?image=2&layer=1&"])
def test_an_axis_is_logarithmic_where_that_is_asked_for(client, call):
    address = f"/api/v1/runs/{make_run().id}/figures/{call}"
    plain, linear, log = (client.get(address + more).json() for more in ("", "measure=linear", "measure=log"))
    assert plain["layout"]["yaxis"].get("type") == linear["layout"]["yaxis"].get("type") != "log"
    assert log["layout"]["yaxis"]["type"] == "log"
    assert log["layout"]["uirevision"] != linear["layout"]["uirevision"]  # a zoom would not fit the other axis
    assert [trace["y"] for trace in log["data"]] == [trace["y"] for trace in linear["data"]]
