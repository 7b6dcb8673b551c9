"""The early-to-mid ratio: by hand, against a slow loop over single pairs, where it does not exist, and over REST."""

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend.api.app import create_app
from backend.db import read_scope, session_scope
from backend.early_to_mid import PairMean, early_to_mid
from backend.models import RunRatio
from backend.schemas import Measure, Quantity, RunSpec
from backend.services.early_to_mid import early_to_mid_of
from tests.made_runs import make_run


def means(*rows):
    return [PairMean(*row) for row in rows]


def test_ratio_by_hand():
    rows = means((1, 1, 10, 0.2), (1, 2, 30, 0.4), (1, 3, 10, 0.7), (1, 4, 10, 0.9), (1, 5, 10, 0.1))
    found = early_to_mid(rows, (2, 4), epoch=5)
    # Recordings on a decay's epoch end a part: early are epochs 1 and 2, mid 3 and 4; 5 belongs to neither.
    assert found.over_layers.early == pytest.approx((10 * 0.2 + 30 * 0.4) / 40)
    assert found.over_layers.mid == pytest.approx(0.8)
    assert found.over_layers.ratio == pytest.approx(0.35 / 0.8)
    assert found.over_layers.reason is None
    assert found.layers == {1: found.over_layers}
    assert found.complete


def test_over_layers_the_means_are_averaged_before_they_are_divided():
    rows = means((2, 1, 5, 0.2), (1, 1, 50, 0.6), (1, 2, 5, 0.8), (2, 2, 5, 0.4), (3, 1, 5, 0.9), (3, 2, 0, None))
    found = early_to_mid(rows, (1, 2), epoch=2)
    assert found.over_layers.ratio == pytest.approx((0.6 + 0.2) / (0.8 + 0.4))
    assert {k: one.ratio for k, one in found.layers.items()} == pytest.approx({1: 0.75, 2: 0.5, 3: None})
    assert found.layers[3].early == 0.9
    assert found.layers[3].reason == "no pair is defined between epochs 1 and 2"


@pytest.mark.parametrize(
    ("rows", "decays", "epoch", "reason"),
    [
        ([(1, 1, 5, 0.5)], (), 9, "no step-wise decay"),
        ([(1, 1, 5, 0.5)], (2,), 9, "decays only once (after epoch 2)"),
        ([], (2, 4), 0, "not gone past epoch 0 yet"),
        ([(1, 1, 5, 0.5)], (2, 4), 1, "not gone past epoch 2 yet"),
        ([(1, 1, 5, 0.5)], (2, 4), 3, "between epochs 2 and 4 yet"),
        ([(1, 1, 5, 0.5), (1, 6, 5, 0.5)], (2, 4), 6, "no recording was made between epochs 2 and 4"),
        ([(1, 1, 0, None), (1, 3, 5, 0.5)], (2, 4), 4, "no pair is defined between epochs 0 and 2"),
        ([(1, 1, 5, 0.5), (1, 3, 5, 0.0)], (2, 4), 4, "is 0"),
        ([(1, 1, 5, 0.5), (1, 3, 0, None), (2, 1, 0, None), (2, 3, 5, 0.5)], (2, 4), 4, "no pair is defined"),
    ],
)
def test_a_ratio_that_does_not_exist_has_its_reason(rows, decays, epoch, reason):
    found = early_to_mid(means(*rows), decays, epoch)
    assert found.over_layers.ratio is None
    assert reason in found.over_layers.reason


def test_an_early_part_is_told_before_there_is_a_middle():
    found = early_to_mid(means((1, 1, 5, 0.5), (2, 1, 5, 0.3)), (1, 2), epoch=1)
    assert found.over_layers[:3] == (0.4, None, None)
    assert not found.complete


def test_a_rate_that_is_multiplied_by_one_does_not_decay():
    schedule = {"kind": "milestones", "milestones": [2, 4], "gamma": 1}
    assert RunSpec(net="mlp", dataset="digits", lr_schedule=schedule).decays == ()


DECAYING = {"epochs": 8, "lr_schedule": {"kind": "milestones", "milestones": [2, 5]}}


@pytest.fixture
def client(database):
    with TestClient(create_app()) as client:
        yield client


def test_rest_agrees_with_a_slow_loop_over_pairs(client):
    run = make_run(count=9, **DECAYING)
    found = client.get(f"/api/v1/runs/{run.id}/early-to-mid").json()
    early, mid = [], []
    for k in (1, 2):
        for part, times in ((early, (1, 2)), (mid, (3, 4, 5))):
            pairs = [float(pair) for t in times for pair in run.arrays[Measure.CROSS_PATH, k, t]]
            part.append(np.mean([pair for pair in pairs if not np.isnan(pair)]))
    assert found["decays"] == [2, 5]
    (path,) = found["ratios"]
    assert (path["quantity"], path["complete"], path["reason"]) == ("path", True, None)
    assert [layer["layer"] for layer in path["layers"]] == [1, 2]
    assert [layer["early"] for layer in path["layers"]] == pytest.approx(early)
    assert [layer["mid"] for layer in path["layers"]] == pytest.approx(mid)
    assert path["ratio"] == pytest.approx(np.mean(early) / np.mean(mid))


def test_rest_gives_the_generalisation_error_at_the_newest_recording(client):
    found = client.get(f"/api/v1/runs/{make_run().id}/early-to-mid").json()
    assert found["recording"] == 3
    assert found["generalisation_error"] == pytest.approx(0.3 - 0.27)
    assert found["test_error"] == pytest.approx(1 - 0.27)
    assert found["ratios"][0]["ratio"] is None
    assert "between epochs 0 and 10" not in found["ratios"][0]["reason"]
    assert "not gone past epoch 10 yet" in found["ratios"][0]["reason"]


def test_rest_of_a_run_that_has_not_begun_says_so(client):
    run = client.post("/api/v1/runs", json={"net": "mlp", "dataset": "digits"}).json()
    found = client.get(f"/api/v1/runs/{run['id']}/early-to-mid").json()
    assert found["recording"] is None
    assert found["generalisation_error"] is None
    assert [one["quantity"] for one in found["ratios"]] == ["path", "activation"]
    assert all("not gone past epoch 0 yet" in one["reason"] for one in found["ratios"])
    assert client.get("/api/v1/runs/99/early-to-mid").status_code == 404


def test_ratios_of_many_runs_are_those_stored_with_their_last_recordings(database):
    first, second = make_run(count=9, **DECAYING), make_run(count=4, **DECAYING)
    with read_scope() as session:
        stored = early_to_mid_of(session, [first.id, second.id])
    assert [stored[run.id][Quantity.PATH].complete for run in (first, second)] == [True, False]
    assert stored[second.id][Quantity.PATH].over_layers.ratio is not None
    with session_scope() as session:  # as in a database from before there were ratios
        session.query(RunRatio).delete()
    with read_scope() as session:
        computed = early_to_mid_of(session, [first.id, second.id])
    assert computed == stored
