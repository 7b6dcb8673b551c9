"""The figures of several runs over REST, in every format, against what the API says of the same runs."""

import csv
import io

import pyarrow.parquet as parquet
import pytest
from fastapi.testclient import TestClient

from frontend.app import create_app
from frontend.views.compared import COMPARED_VIEWS
from tests.made_runs import make_run

DECAYS = {"epochs": 6, "lr_schedule": {"milestones": [1, 3]}}


@pytest.fixture
def client(home):
    for seed in (0, 1, 2):
        make_run(images=5, count=6, seed=seed, optimiser={"lr": 0.1 * (1 + seed // 2)}, **DECAYS)
    make_run(images=5, count=2, net="alexnet")
    with TestClient(create_app()) as client:
        yield client


def get(client, name, **query):
    answer = client.get(f"/api/v1/compare/figures/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return answer


def rows(client, name, **query):
    return list(csv.DictReader(io.StringIO(get(client, name, format="csv", **query).text)))


def test_the_list_names_every_figure_and_each_comes_in_every_format(client):
    listed = client.get("/api/v1/compare/figures").json()
    assert [one["name"] for one in listed] == list(COMPARED_VIEWS)
    for one in listed:
        drawn = get(client, one["name"], runs="1,2,3").json()
        assert drawn["data"]
        page = get(client, one["name"], runs="1,2,3", format="html").text
        assert f"<title>{one['title']} · 3 runs" in page
        assert "Sec" in page
        table = get(client, one["name"], runs="1,2,3", format="table", rows=2).json()
        assert len(table["rows"]) == 2 < table["total"]
        columns = parquet.read_table(io.BytesIO(get(client, one["name"], runs="1,2,3", format="parquet").content))
        assert columns.column_names == table["columns"]
        assert columns.num_rows == table["total"]


def test_numbers_are_those_of_the_courses(client):
    found = rows(client, "over-training", runs="1,3", layer=2, statistic="mean")
    courses = client.get("/api/v1/compare/courses?runs=1,3&layer=2").json()["courses"]
    wanted = [value for course in courses for value in course["mean"]]
    assert [float(row["value"]) if row["value"] else None for row in found] == pytest.approx(wanted)
    assert [float(row["epoch"]) for row in found] == [epoch for course in courses for epoch in course["epochs"]]


def test_a_group_is_one_line_with_its_deviation(client):
    found = rows(client, "over-training", runs="1,2,3", group="optimiser.lr")
    assert {row["line"] for row in found} == {"optimiser.lr = 0.1 (2)", "optimiser.lr = 0.2 (1)"}
    assert all(not row["low"] for row in found if row["line"].endswith("(1)")), "one run has no deviation"


def test_losses_and_accuracies_are_those_of_the_recordings(client):
    found = rows(client, "over-training", runs="2", measure="train_accuracy")
    made = client.get("/api/v1/runs/2/recordings").json()
    assert [float(row["value"]) for row in found] == [one["train_accuracy"] for one in made]
    page = get(client, "over-training", runs="1,2", measure="test_loss", format="html").text
    assert "<title>Over training · 2 runs, measure test-loss</title>" in page


def test_outcomes_stand_against_a_field_that_differs(client):
    found = rows(client, "field-against-outcome", runs="1,2,3,4", field="optimiser.lr")
    served = client.get("/api/v1/compare/differences?runs=1,2,3,4").json()
    assert [float(row["optimiser.lr"]) for row in found] == served["fields"]["optimiser.lr"]
    for name, values in served["outcomes"].items():
        assert [float(row[name]) if row[name] else None for row in found] == pytest.approx(values)
    drawn = get(client, "field-against-outcome", runs="1,2,3,4", field="optimiser.lr", outcome="ratio").json()
    assert [trace["name"] for trace in drawn["data"]] == ["net = mlp"], "the other net has no ratio"
    assert "1 run left out" in drawn["layout"]["title"]["text"]
    assert drawn["layout"]["xaxis"]["title"]["text"] == "optimiser.lr"


def test_dots_and_runs_without_one_stand_in_the_numbers(client):
    found = rows(client, "early-to-mid-ratio", runs="1,2,3,4", error="test_error")
    served = client.get("/api/v1/compare/early-to-mid?runs=1,2,3,4&error=test_error").json()
    assert [float(row["ratio"]) for row in found[:3]] == pytest.approx([dot["ratio"] for dot in served["dots"]])
    assert [float(row["error"]) for row in found[:3]] == pytest.approx([dot["error"] for dot in served["dots"]])
    assert found[3]["ratio"] == ""
    assert found[3]["left_out_because"] == served["left_out"]["4"]


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"group": "colour"}, 422, "a field of a run's spec is expected"),
        ({"layer": 0}, 422, "layer"),
        ({"runs": "9"}, 404, "9"),
        ({"measure": "overlap"}, 422, "cross_path"),
        ({"measure": "loss"}, 422, "test_accuracy"),
        ({"outcome": "loss"}, 422, "test_accuracy"),
        ({"field": "net"}, 422, "one of epochs"),
    ],
)
def test_what_is_wrong_is_named(client, query, status, said):
    answer = client.get("/api/v1/compare/figures/over-training", params=query)
    assert answer.status_code == status
    assert said in answer.text
    assert client.get("/api/v1/compare/figures/colours").status_code == 404


def test_a_field_that_does_not_differ_is_refused_with_those_that_do(client):
    answer = client.get("/api/v1/compare/figures/field-against-outcome", params={"runs": "1,3", "field": "epochs"})
    assert answer.status_code == 422
    assert "numbers that do: optimiser.lr, seed" in answer.json()["detail"]
    alike = get(client, "field-against-outcome", runs="1").json()
    assert "differ in no number" in alike["layout"]["annotations"][0]["text"]
