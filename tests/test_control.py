"""Pausing, activating, priorities and cancelling through a real server, broker, worker and trainer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.servers import eventually, serving, working

EPOCHS = 45
LAST = 15
BASE = {
    "net": "mlp",
    "dataset": "digits",
    "epochs": EPOCHS,
    "seed": 3,
    "probe": {"count": 16},
    "recordings": {"every_epochs": EPOCHS // LAST},
}


@pytest.fixture(params=["SQLite and message files", "Postgres and Redis"])
def client(request: pytest.FixtureRequest, home: Path) -> Iterator[httpx.Client]:
    if request.param == "Postgres and Redis":
        request.getfixturevalue("postgres")
        request.getfixturevalue("redis")
    with serving(home) as url, httpx.Client(base_url=f"{url}/api/v1", timeout=30) as client:
        yield client


def run_of(client: httpx.Client, run_id: int) -> dict[str, Any]:
    return client.get(f"/runs/{run_id}").raise_for_status().json()


def wait_for(client: httpx.Client, run_id: int, status: str, seconds: float = 60) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        run = run_of(client, run_id)
        assert run["status"] == status or run["status"] not in ("completed", "failed"), run
        return run if run["status"] == status else None

    return eventually(look, f"run {run_id} {status}", seconds)


def test_a_sweep_starts_by_priority_and_a_paused_run_ends_as_an_undisturbed_one(
    client: httpx.Client, home: Path
) -> None:
    answer = client.post("/sweeps", json={"base": BASE, "grid": {"priority": ["low", "high", "normal"]}})
    assert answer.status_code == 201, answer.text
    sweep = answer.json()
    low, high, normal = sweep["runs"]
    assert [run["id"] for run in client.get("/queue").json()] == [high, normal, low]
    with working(home):
        eventually(lambda: len(client.get(f"/runs/{high}/recordings").json()) >= 3, "three recordings")
        assert client.post(f"/runs/{high}/pause").json()["pause_requested"]
        paused = wait_for(client, high, "paused", seconds=15)
        assert paused["last"]["t"] < LAST, "it was paused before its end"
        wait_for(client, normal, "running")
        assert run_of(client, low)["status"] == "queued"
        assert client.post(f"/runs/{high}/activate").json()["status"] == "queued"
        wait_for(client, normal, "completed")
        again = wait_for(client, high, "completed")
        wait_for(client, low, "running")
        assert client.post(f"/sweeps/{sweep['id']}/cancel").status_code == 200
        wait_for(client, low, "cancelled", seconds=15)
    assert client.get(f"/sweeps/{sweep['id']}").json()["counts"] == {"completed": 2, "cancelled": 1}
    assert (again["attempt"], again["lost_attempts"]) == (2, 0)
    started = {run_id: run_of(client, run_id)["started_at"] for run_id in (low, high, normal)}
    assert sorted(started, key=started.__getitem__) == [high, normal, low]
    _check_equal(client, high, normal)


def _check_equal(client: httpx.Client, first: int, second: int) -> None:
    """Of both runs, every loss and accuracy, and the paths of each layer at the last recording."""
    shown = ("t", "epoch", "step", "lr", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
    one, other = (
        [[recording[name] for name in shown] for recording in client.get(f"/runs/{run_id}/recordings").json()]
        for run_id in (first, second)
    )
    assert [recording[0] for recording in one] == list(range(LAST + 1))
    assert one == other
    for layer in client.get(f"/runs/{first}/layers").json():
        for call in ("paths", "cross-path", "self-similarity"):
            query = {"layer": layer["k"], "recording": LAST}
            assert client.get(f"/runs/{first}/{call}", params=query).content == (
                client.get(f"/runs/{second}/{call}", params=query).content
            )
