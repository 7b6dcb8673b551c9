"""Sweeps over REST, on both databases."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from backend.api.app import create_app

pytestmark = pytest.mark.usefixtures("database")
SWEEP = {
    "name": "Rates",
    "base": {"net": "mlp", "dataset": "digits", "epochs": 4},
    "grid": {"optimiser.lr": [0.01, 0.1], "lr_schedule.kind": ["cosine", "constant"]},
    "seeds": [0, 1, 2],
}


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), base_url="http://127.0.0.1:8000") as client:
        yield client


def test_a_sweep_makes_a_run_for_each_combination(client: TestClient) -> None:
    answer = client.post("/api/v1/sweeps", json=SWEEP)
    assert answer.status_code == 201, answer.text
    sweep = answer.json()
    assert sweep["counts"] == {"queued": 12}
    assert client.get(answer.headers["location"]).json() == sweep
    page = client.get("/api/v1/runs", params={"sweep": sweep["id"], "sort": "created_at"}).json()["runs"]
    assert [run["id"] for run in page] == sweep["runs"]
    assert client.get("/api/v1/runs", params={"filter": f"sweep={sweep['id']} seed=2"}).json()["matching"] == 4
    assert client.get("/api/v1/runs", params={"filter": "sweep!=1"}).json()["matching"] == 0
    first, last = page[0], page[-1]
    assert (first["name"], last["name"]) == (
        "Rates · lr 0.01 · kind cosine · seed 0",
        "Rates · lr 0.1 · kind constant · seed 2",
    )
    found = {(run["spec"]["optimiser"]["lr"], run["spec"]["lr_schedule"]["kind"], run["spec"]["seed"]) for run in page}
    assert len(found) == 12
    assert {run["sweep"] for run in page} == {sweep["id"]}


def test_cancel_of_a_sweep_leaves_other_runs_and_ended_ones_alone(client: TestClient) -> None:
    other = client.post("/api/v1/runs", json=SWEEP["base"]).json()["id"]
    sweep = client.post("/api/v1/sweeps", json=SWEEP).json()
    client.post(f"/api/v1/runs/{sweep['runs'][0]}/cancel")
    client.delete(f"/api/v1/runs/{sweep['runs'][0]}")
    client.post(f"/api/v1/runs/{sweep['runs'][1]}/pause")
    assert client.post(f"/api/v1/sweeps/{sweep['id']}/cancel").json()["counts"] == {"cancelled": 11}
    assert client.get("/api/v1/sweeps").json()[0]["counts"] == {"cancelled": 11}
    assert client.get(f"/api/v1/runs/{other}").json()["status"] == "queued"


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"grid": {"optimiser.lr": [0.1, 20]}}, "grid.optimiser.lr", "with lr 20 · seed 0: Input should be less than"),
        ({"grid": {"optimizer.lr": [0.1]}}, "grid.optimizer.lr", "not permitted"),
        ({"grid": {"net": ["mlp", "nonet"]}}, "grid.net", "with net nonet · seed 0: no such net"),
        ({"grid": {}, "base": {"net": "mlp"}}, "base.dataset", "Field required"),
        ({"grid": {"epochs.x": [1]}}, "grid.epochs.x", "epochs of the base holds 4"),
        ({"seeds": [-1]}, "seeds", "greater than or equal to 0"),
        ({"seeds": list(range(100))}, "grid", "400 combinations; a sweep makes at most 200"),
        ({"grid": {"seed": [1]}}, "seeds", "give them once"),
        ({"grid": {"optimiser.lr": []}}, "grid.optimiser.lr", "at least 1"),
        ({"colour": "red"}, "colour", "not permitted"),
    ],
)
def test_a_sweep_that_is_wrong_names_combination_and_field_and_makes_nothing(
    client: TestClient, change: dict, field: str, said: str
) -> None:
    for call in ("/api/v1/sweeps", "/api/v1/sweeps/plan"):
        answer = client.post(call, json=SWEEP | change)
        assert answer.status_code == 422, answer.text
        assert any(e["field"] == field and said in e["message"] for e in answer.json()["errors"]), answer.text
    assert client.get("/api/v1/runs").json()["runs"] == client.get("/api/v1/sweeps").json() == []


def test_a_plan_adds_up_the_sizes_and_submits_nothing(client: TestClient) -> None:
    plan = client.post("/api/v1/sweeps/plan", json=SWEEP).json()
    assert len(plan["runs"]) == 12
    assert plan["total_bytes"] == sum(run["total_bytes"] for run in plan["runs"]) > 0
    single = client.post("/api/v1/estimate", json=SWEEP["base"]).json()["total_bytes"]
    assert plan["runs"][0]["total_bytes"] == single
    assert client.get("/api/v1/runs").json()["runs"] == []


def test_an_unknown_sweep_is_not_found(client: TestClient) -> None:
    assert client.get("/api/v1/sweeps/7").status_code == client.post("/api/v1/sweeps/7/cancel").status_code == 404
