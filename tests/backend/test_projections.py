"""The projections of a run over REST, against what was written, on both databases."""

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend.api.app import create_app
from tests.made_runs import make_run

SPEC = {"quantities": ["path", "projection"]}


@pytest.fixture
def client(database):
    with TestClient(create_app()) as client:
        yield client


def get(client, run, call=""):
    answer = client.get(f"/api/v1/runs/{run.id}/projection{call}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found, np.array(found["loss"], dtype=float), np.array(found["accuracy"], dtype=float)


def test_means_are_over_the_images_with_a_finite_loss(client):
    run = make_run(**SPEC)
    found, loss, accuracy = get(client, run)
    assert found["recordings"] == [0, 1, 2, 3]
    for s in range(4):
        for t in range(4):
            if s > t:
                assert np.isnan([loss[s, t], accuracy[s, t]]).all()
            else:
                expected = np.nanmean(run.projections[s, t].astype(float), axis=1)
                assert (loss[s, t], accuracy[s, t]) == pytest.approx(tuple(expected))
            assert found["undefined"][s][t] == ((s, t) == (1, 2))


def test_of_an_image_they_are_its_own(client):
    run = make_run(**SPEC)
    for image in (0, 5):
        _, loss, accuracy = get(client, run, f"?image={image}")
        for (s, t), written in run.projections.items():
            np.testing.assert_allclose([loss[s, t], accuracy[s, t]], written[:, image], rtol=1e-6)


def test_a_run_that_has_recorded_nothing_has_empty_maps(client):
    run = make_run(count=0, **SPEC)
    found, loss, _ = get(client, run)
    assert (found["recordings"], loss.size) == ([], 0)


@pytest.mark.parametrize(
    ("spec", "call", "status", "said"),
    [
        ({}, "", 404, "records path, not projection"),
        (SPEC, "?image=8", 404, "probe images 0 to 7"),
        (SPEC, "?image=-1", 422, "image"),
        (SPEC, "?layer=1", 422, "layer"),
    ],
)
def test_what_does_not_exist_is_answered_by_what_does(client, spec, call, status, said):
    answer = client.get(f"/api/v1/runs/{make_run(**spec).id}/projection{call}")
    assert answer.status_code == status
    assert said in answer.json()["detail"]
