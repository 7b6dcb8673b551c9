"""A run from its submission to every number of it, through a real server, broker, worker and trainer."""

import io
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import numpy as np
import pytest

from tests.servers import eventually, serving, working

SPEC = {"net": "alexnet", "dataset": "digits", "epochs": 3, "probe": {"count": 24}, "recordings": {"log_spaced": 2}}


@pytest.fixture(params=["SQLite and message files", "Postgres and Redis"])
def client(request: pytest.FixtureRequest, home: Path) -> Iterator[httpx.Client]:
    if request.param == "Postgres and Redis":
        request.getfixturevalue("postgres")
        request.getfixturevalue("redis")
    with serving(home) as url, httpx.Client(base_url=f"{url}/api/v1", timeout=30) as client:
        yield client


def submit(client: httpx.Client, **spec: object) -> int:
    answer = client.post("/runs", json=SPEC | spec)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def wait_for(client: httpx.Client, run_id: int, *statuses: str) -> dict:
    def look() -> dict | None:
        run = client.get(f"/runs/{run_id}").json()
        return run if run["status"] in statuses else None

    return eventually(look, f"run {run_id} {statuses}", seconds=120)


def log_of(client: httpx.Client, run_id: int) -> str:
    return "\n".join(line["text"] for line in client.get(f"/runs/{run_id}/log").json())


def paths_of(client: httpx.Client, run_id: int, layer: dict, t: int) -> np.ndarray:
    answer = client.get(f"/runs/{run_id}/paths", params={"layer": layer["k"], "recording": t})
    packed = np.load(io.BytesIO(answer.content))
    return np.unpackbits(packed, axis=1, count=layer["units"], bitorder="little").astype(np.int64)


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    norms = np.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / norms if norms else np.nan


def test_every_served_number_follows_from_the_raw_paths(client: httpx.Client, home: Path) -> None:
    run_id = submit(client)
    with working(home):
        run = wait_for(client, run_id, "completed", "failed")
        assert run["status"] == "completed", log_of(client, run_id)
    recordings = client.get(f"/runs/{run_id}/recordings").json()
    assert [recording["t"] for recording in recordings] == list(range(6))
    assert recordings[-1]["test_accuracy"] > recordings[0]["test_accuracy"]
    layers = client.get(f"/runs/{run_id}/layers").json()
    assert len(layers) == 7
    images = len(client.get(f"/runs/{run_id}/images").json())
    assert images == 24
    assert client.get(f"/runs/{run_id}/images/23.png").content.startswith(b"\x89PNG")
    for layer in layers:
        _check_layer(client, run_id, layer, images, len(recordings))


def _check_layer(client: httpx.Client, run_id: int, layer: dict, images: int, count: int) -> None:
    paths = [paths_of(client, run_id, layer, t) for t in range(count)]
    query = {"layer": layer["k"]}
    for t in range(count):
        for image in (0, 7, images - 1):
            overlap = [int(paths[t][image] @ paths[t][j]) for j in range(images)]
            order = sorted((j for j in range(images) if j != image), key=lambda j: (-overlap[j], j))
            found = client.get(f"/runs/{run_id}/neighbours", params=query | {"image": image, "recording": t}).json()
            assert found["nearest"] == order[:6]
            assert [overlap[j] if j != image else None for j in range(images)] == found["closeness"]
    for t in range(1, count):
        served = client.get(f"/runs/{run_id}/cross-path", params=query | {"recording": t}).json()["values"]
        alone = client.get(f"/runs/{run_id}/self-similarity", params=query | {"recording": t}).json()["values"]
        for i in range(images):
            assert alone[i] == pytest.approx(similarity(paths[t - 1][i], paths[t][i]), abs=1e-6, nan_ok=True)
            for j in range(i):
                slow = similarity(paths[t - 1][i] * paths[t - 1][j], paths[t][i] * paths[t][j])
                fast = np.nan if served[i][j] is None else served[i][j]
                assert fast == pytest.approx(slow, abs=1e-6, nan_ok=True)


def test_events_arrive_while_the_run_goes_on(client: httpx.Client, home: Path) -> None:
    run_id = submit(client)
    seen: list[tuple[str, dict, float]] = []
    with working(home), client.stream("GET", f"/runs/{run_id}/events", timeout=120) as stream:
        kind = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            if line.startswith("data: "):
                seen.append((kind, json.loads(line.removeprefix("data: ")), time.time()))
    assert [data["status"] for kind, data, _ in seen if kind == "status"] == ["queued", "running", "completed"]
    assert [data["t"] for kind, data, _ in seen if kind == "recording"] == list(range(6))
    assert any(data["phase"] == "training" for kind, data, _ in seen if kind == "progress")


def test_a_run_without_a_worker_waits_and_the_server_says_so(client: httpx.Client, home: Path) -> None:
    run_id = submit(client)
    ready = client.get(str(client.base_url).replace("/api/v1", "") + "readyz")
    assert ready.status_code == 503
    assert "no worker" in ready.json()["workers"]
    assert client.get(f"/runs/{run_id}").json()["status"] == "queued"
    with working(home):
        wait_for(client, run_id, "completed")


def test_cancel_of_a_running_run_ends_its_trainer_and_keeps_its_recordings(client: httpx.Client, home: Path) -> None:
    run_id = submit(client, epochs=500, recordings={"every_epochs": 1})
    with working(home):
        eventually(lambda: client.get(f"/runs/{run_id}/recordings").json(), "the first recording")
        assert client.post(f"/runs/{run_id}/cancel").status_code == 200
        began = time.monotonic()
        wait_for(client, run_id, "cancelled")
        assert time.monotonic() - began < 10
        assert client.get(f"/runs/{run_id}/recordings").json()
        following = submit(client, net="mlp", epochs=1)
        wait_for(client, following, "completed")


def test_a_run_that_fails_says_why_in_one_sentence_and_keeps_its_log(client: httpx.Client, home: Path) -> None:
    diverging = submit(client, optimiser={"lr": 10.0}, epochs=5)
    with working(home):
        run = wait_for(client, diverging, "failed")
        assert "not finite at step" in run["reason"]
        assert "Traceback" not in run["reason"]
        assert "training alexnet" in log_of(client, diverging)
        assert client.get(f"/runs/{diverging}/recordings").json()


def test_a_worker_that_is_told_to_stop_gives_its_run_back_and_the_next_one_ends_it_alike(
    client: httpx.Client, home: Path
) -> None:
    spec = {"net": "mlp", "epochs": 12, "recordings": {"every_epochs": 1}}
    disturbed = submit(client, **spec)
    with working(home) as worker:
        eventually(lambda: len(client.get(f"/runs/{disturbed}/recordings").json()) >= 3, "three recordings")
        worker.stop(signal.SIGTERM, seconds=10)
    assert client.get(f"/runs/{disturbed}").json()["status"] == "queued"
    undisturbed = submit(client, **spec)
    with working(home):
        wait_for(client, disturbed, "completed")
        wait_for(client, undisturbed, "completed")
    for call in (
        "cross-path?layer=2&image=1",
        "cross-path?layer=2&image=1&quantity=activation",
        "neighbours?layer=3&image=4",
    ):
        first, second = (client.get(f"/runs/{run_id}/{call}").json() for run_id in (disturbed, undisturbed))
        assert first == second
        assert len(first["recordings"]) >= 12
