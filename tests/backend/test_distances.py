"""Overlap against distance: the two coefficients, and what REST gives of them."""

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend import artifacts
from backend.api.app import create_app
from backend.correlation import correlate
from backend.schemas import Measure
from tests.made_runs import make_run


def test_coefficients_by_hand():
    found = correlate(np.array([1, 2, 3, 10]), np.array([0.0, 1, 2, 1.5]))
    # Deviations (-3, -2, -1, 6) and (-1.125, -0.125, 0.875, 0.375): 5 / sqrt(50 · 2.1875). Ranks 1234 and 1243.
    assert found.pearson == pytest.approx(5 / np.sqrt(50 * 2.1875))
    assert found.spearman == pytest.approx(0.8)
    assert (found.pairs, found.reason) == (4, None)


def test_ties_share_the_mean_of_their_ranks():
    assert correlate(np.array([1, 1, 2]), np.array([5.0, 6, 7])).spearman == pytest.approx(np.sqrt(3) / 2)


@pytest.mark.parametrize(
    ("first", "second", "pairs", "reason"),
    [
        ([], [], 0, "0 defined pairs are too few"),
        ([1.0, np.nan], [1.0, 2.0], 1, "1 defined pairs are too few"),
        ([3.0, 3.0, np.nan], [1.0, 2.0, 3.0], 2, "the first of all pairs is the same"),
        ([1.0, 2.0], [4.0, 4.0], 2, "the second of all pairs is the same"),
    ],
)
def test_coefficients_that_do_not_exist_have_their_reason(first, second, pairs, reason):
    found = correlate(np.array(first), np.array(second))
    assert found[:3] == (pairs, None, None)
    assert reason in found.reason


@pytest.fixture
def client(database):
    with TestClient(create_app()) as client:
        yield client


def test_rest_gives_distances_as_they_are_stored(client):
    run = make_run()
    found = client.get(f"/api/v1/runs/{run.id}/distances").json()
    np.testing.assert_allclose(found["distance"], run.distances, rtol=1e-6)


def test_rest_gives_overlap_beside_distance_at_a_recording(client):
    run = make_run()
    found = client.get(f"/api/v1/runs/{run.id}/overlap?layer=2&recording=3").json()
    overlap = run.arrays[Measure.CLOSENESS, 2, 3]
    assert found["overlap"] == overlap.tolist()
    np.testing.assert_allclose(found["distance"], run.distances, rtol=1e-6)
    assert found["pairs"] == 28
    assert found["pearson"] == pytest.approx(np.corrcoef(overlap, run.distances)[0, 1])
    over_time = client.get(f"/api/v1/runs/{run.id}/overlap?layer=2").json()
    assert over_time["recordings"] == [0, 1, 2, 3]
    for name in ("pairs", "pearson", "spearman"):
        assert over_time[name][3] == found[name]


def test_rest_of_pairs_that_all_overlap_alike_says_why_there_is_no_coefficient(client):
    run = make_run(units=1, images=2)
    found = client.get(f"/api/v1/runs/{run.id}/overlap?layer=1&recording=0").json()
    assert found["pearson"] is None
    assert "too few" in found["reason"]


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        ("overlap?layer=3&recording=0", 404, "layers 1 to 2"),
        ("overlap?layer=1&recording=9", 404, "recordings 0 to 3"),
        ("overlap?layer=1&quantity=activation", 404, "records path"),
        ("overlap", 422, "layer"),
    ],
)
def test_rest_names_what_exists(client, call, status, said):
    answer = client.get(f"/api/v1/runs/{make_run().id}/{call}")
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_rest_of_a_run_without_distances_says_why(client):
    run = make_run()
    artifacts.delete_run(run.id)
    waiting = client.post("/api/v1/runs", json={"net": "mlp", "dataset": "digits"}).json()["id"]
    for run_id, why in ((run.id, "before they were stored"), (waiting, "when the run begins")):
        answer = client.get(f"/api/v1/runs/{run_id}/distances")
        assert answer.status_code == 404
        assert why in answer.json()["detail"]
