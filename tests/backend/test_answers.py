"""What the net says of the probe images over REST, against what was written, on both databases."""

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend.api.app import create_app
from tests.made_runs import make_run


@pytest.fixture
def client(database):
    with TestClient(create_app()) as client:
        yield client


def get(client, run, call=""):
    answer = client.get(f"/api/v1/runs/{run.id}/answers{call}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_answers_are_those_that_were_written(client):
    run = make_run()
    found = get(client, run)
    assert found["recordings"] == [0, 1, 2, 3]
    assert found["labels"] == [i % 3 for i in range(8)]
    assert found["class_names"] == {str(label): f"class {label}" for label in range(4)}
    for t, written in run.answers.items():
        assert [-1 if one is None else one for one in found["predicted"][t]] == written.predicted.tolist()
        np.testing.assert_array_equal(np.array(found["loss"][t], dtype=float), written.loss.astype(float))
    assert (found["predicted"][1][0], found["loss"][1][0]) == (None, None)


def test_answers_of_an_image_and_of_a_recording_are_parts_of_all(client):
    run = make_run()
    whole = get(client, run)
    image = get(client, run, "?image=5")
    assert image["predicted"] == [[row[5]] for row in whole["predicted"]]
    assert image["labels"] == [2]
    moment = get(client, run, "?recording=2")
    assert (moment["recordings"], moment["loss"]) == ([2], [whole["loss"][2]])


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [("?image=8", 404, "probe images 0 to 7"), ("?recording=4", 404, "recordings 0 to 3"), ("?layer=1", 422, "layer")],
)
def test_what_does_not_exist_is_answered_by_what_does(client, call, status, said):
    answer = client.get(f"/api/v1/runs/{make_run().id}/answers{call}")
    assert answer.status_code == status
    assert said in answer.json()["detail"]
