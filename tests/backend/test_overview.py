"""All layers at a glance and the state of all images, against what was written."""

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend import codec
from backend.api.app import create_app
from backend.db import read_scope
from backend.schemas import Measure, Quantity
from backend.services import overview, statistics
from tests.made_runs import make_run


@pytest.fixture
def client(database):
    with TestClient(create_app()) as client:
        yield client


def test_distributions_of_layers_are_those_of_each_layer(home):
    run = make_run()
    with read_scope() as session:
        found = overview.distributions_of_layers(session, run.id, Measure.CROSS_PATH, Quantity.PATH)
        alone = [statistics.distribution(session, run.id, Measure.CROSS_PATH, Quantity.PATH, k) for k in (1, 2)]
    assert found.layers.tolist() == [1, 2]
    for one, other in zip(found.distributions, alone, strict=True):
        for array, expected in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, expected)


def test_medians_and_means_of_layers_are_over_the_defined_pairs(home):
    run = make_run()
    with read_scope() as session:
        medians = overview.medians_of_layers(session, run.id, Measure.CROSS_PATH, Quantity.PATH)
        means = overview.means_of_layers(session, run.id, Measure.CROSS_PATH, Quantity.PATH)
    assert medians.recordings.tolist() == [1, 2, 3]
    for k in (1, 2):
        for t in (1, 2, 3):
            values = run.arrays[Measure.CROSS_PATH, k, t].astype(float)
            assert medians.values[k - 1, t - 1] == pytest.approx(np.nanmedian(values))
            assert means.values[k - 1, t - 1] == pytest.approx(np.nanmean(values))


def test_image_states_follow_from_what_was_written(client):
    run = make_run()
    found = client.get(f"/api/v1/runs/{run.id}/image-states?layer=1&recording=1").json()
    across = codec.from_pairs(run.arrays[Measure.CROSS_PATH, 1, 1].astype(float))
    assert found["cross_path"] == pytest.approx(np.nanmean(across, axis=1).tolist())
    assert found["self_similarity"] == pytest.approx(run.arrays[Measure.SELF_SIMILARITY, 1, 1].tolist())
    assert found["predicted"] == [None, 2, 3, 0, 1, 2, 3, 0]
    assert found["loss"] == [None, *run.answers[1].loss[1:].tolist()]
    churn = [
        client.get(f"/api/v1/runs/{run.id}/neighbours?layer=1&image={image}&recording=1").json()["churn"]
        for image in range(8)
    ]
    assert found["churn"] == pytest.approx(churn)


def test_image_states_at_the_first_recording_have_no_similarities(client):
    run = make_run()
    found = client.get(f"/api/v1/runs/{run.id}/image-states?layer=2&recording=0").json()
    assert found["self_similarity"] == found["churn"] == found["cross_path"] == [None] * 8
    assert found["predicted"] == run.answers[0].predicted.tolist()


def test_pairs_in_a_box_are_all_that_lie_in_it_the_closest_first(client):
    run = make_run()
    overlap, distance = run.arrays[Measure.CLOSENESS, 2, 3], run.distances
    query = {"layer": 2, "recording": 3, "distance_from": 0.2, "distance_to": 0.8, "overlap_from": 2, "overlap_to": 3}
    found = client.get(f"/api/v1/runs/{run.id}/overlap/pairs", params=query | {"limit": 5}).json()
    inside = np.flatnonzero((distance >= 0.2) & (distance <= 0.8) & (overlap >= 2) & (overlap <= 3))
    assert found["total"] == len(inside) > 5
    nearest = inside[np.argsort(distance[inside])][:5]
    i, j = np.triu_indices(8, k=1)
    assert (found["image"], found["other"]) == (i[nearest].tolist(), j[nearest].tolist())
    assert found["distance"] == pytest.approx(distance[nearest].tolist())
    assert found["overlap"] == overlap[nearest].tolist()


@pytest.mark.parametrize(("asked", "same"), [("true", True), ("false", False)])
def test_pairs_in_a_box_are_those_of_one_label_or_of_two_where_asked(client, asked, same):
    run = make_run()
    box = {"distance_from": 0, "distance_to": 1, "overlap_from": 0, "overlap_to": 11, "limit": 1000}
    query = {"layer": 2, "recording": 3, "same_label": asked} | box
    found = client.get(f"/api/v1/runs/{run.id}/overlap/pairs", params=query).json()
    i, j = np.triu_indices(8, k=1)
    alike = (i % 3 == j % 3) == same
    pairs = set(zip(found["image"], found["other"], strict=True))
    assert pairs == set(zip(i[alike].tolist(), j[alike].tolist(), strict=True))


def test_pairs_of_two_images_are_the_one_pair_with_its_distance_and_overlap(client):
    run = make_run()
    query = {"layer": 2, "recording": 3, "image": 5, "other": 2}
    found = client.get(f"/api/v1/runs/{run.id}/overlap/pairs", params=query).json()
    place = np.flatnonzero((np.stack(np.triu_indices(8, k=1)) == [[2], [5]]).all(axis=0))[0]
    assert (found["total"], found["image"], found["other"]) == (1, [2], [5])
    assert found["distance"] == [pytest.approx(run.distances[place])]
    assert found["overlap"] == [run.arrays[Measure.CLOSENESS, 2, 3][place]]


def test_pairs_of_one_image_are_those_with_every_other(client):
    run = make_run()
    query = {"layer": 2, "recording": 3, "image": 5, "limit": 1000}
    found = client.get(f"/api/v1/runs/{run.id}/overlap/pairs", params=query).json()
    assert found["total"] == 7
    assert {*found["image"], *found["other"]} == set(range(8))
