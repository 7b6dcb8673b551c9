"""The maps of any two times over REST, against the paths, on both databases."""

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from backend import artifacts
from backend.api.app import create_app
from backend.db import session_scope
from backend.models import LayerArray
from backend.schemas import Measure
from tests.made_runs import make_run


@pytest.fixture
def client(database):
    with TestClient(create_app()) as client:
        yield client


def get(client, run, call):
    answer = client.get(f"/api/v1/runs/{run.id}/two-times?{call}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def similarity(before, now):
    norms = np.sqrt(before.sum(dtype=float) * now.sum())
    return (before & now).sum() / norms if norms else np.nan


@pytest.mark.parametrize("units", [11, 2])
def test_the_map_of_an_image_is_that_of_its_paths_and_the_mean_is_over_all_images(client, units):
    run = make_run(units=units)
    maps = []
    for image in range(8):
        found = get(client, run, f"layer=2&image={image}")
        assert found["recordings"] == [0, 1, 2, 3]
        expected = [[similarity(run.paths[2, s][image], run.paths[2, t][image]) for t in range(4)] for s in range(4)]
        np.testing.assert_allclose(np.array(found["values"], dtype=float), expected)
        maps.append(expected)
    mean = get(client, run, "layer=2")
    np.testing.assert_allclose(np.array(mean["values"], dtype=float), np.nanmean(maps, axis=0))
    assert mean["undefined"] == np.isnan(maps).sum(axis=0).tolist()


def test_a_run_that_has_recorded_nothing_has_empty_maps(client):
    run = make_run(count=0)
    assert get(client, run, "layer=1")["values"] == []
    assert get(client, run, "layer=1&image=1")["values"] == []


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        ("layer=3", 404, "layers 1 to 2"),
        ("layer=1&image=8", 404, "probe images 0 to 7"),
        ("", 422, "layer"),
        ("layer=1&t=3", 422, "t"),
    ],
)
def test_what_does_not_exist_is_answered_by_what_does(client, call, status, said):
    answer = client.get(f"/api/v1/runs/{make_run().id}/two-times?{call}")
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_a_run_that_keeps_no_paths_says_so(client):
    run = make_run()
    artifacts.delete_run(run.id)
    with session_scope() as session:
        session.execute(delete(LayerArray).where(LayerArray.measure == Measure.TWO_TIMES))
    for call in ("layer=1", "layer=1&image=0"):
        answer = client.get(f"/api/v1/runs/{run.id}/two-times?{call}")
        assert answer.status_code == 404
        assert "does not keep the paths" in answer.json()["detail"]


def test_activations_alone_have_no_paths_to_compare(client):
    spec = {"net": "mlp", "dataset": "digits", "quantities": ["activation"]}
    run = client.post("/api/v1/runs", json=spec).json()
    answer = client.get(f"/api/v1/runs/{run['id']}/two-times?layer=1")
    assert answer.status_code == 404
    assert "records activation, not path" in answer.json()["detail"]
