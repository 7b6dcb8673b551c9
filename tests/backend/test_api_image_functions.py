"""Image functions over REST, against what was written, on both databases."""

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend import codec
from backend.api.app import create_app
from backend.schemas import Measure
from tests.made_runs import make_run

SPEC = {"quantities": ["path", "image_function"]}


@pytest.fixture
def client(database):
    with TestClient(create_app()) as client:
        yield client


def get(client, run, call):
    answer = client.get(f"/api/v1/runs/{run.id}/image-function?{call}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_pairs_in_their_forms(client):
    run = make_run(**SPEC)
    written = [run.functions[Measure.CLOSENESS, 1, t] for t in range(4)]
    matrices = [codec.from_pairs(pairs.astype(float)) for pairs in written]
    spread = get(client, run, "layer=1&kind=cross")
    assert spread["recordings"] == [0, 1, 2, 3]
    assert spread["undefined"] == [0, 1, 0, 0]
    np.testing.assert_allclose(spread["mean"], [np.nanmean(pairs.astype(float)) for pairs in written])
    below_zero = [sum(histogram[:50]) for histogram in spread["histogram"]]
    assert below_zero == [int((pairs < 0).sum()) for pairs in written]
    at = get(client, run, "layer=1&kind=cross&recording=2")
    np.testing.assert_allclose(np.array(at["values"], dtype=float), matrices[2], rtol=1e-6)
    of = get(client, run, "layer=1&kind=cross&image=3")
    np.testing.assert_allclose(np.array(of["values"], dtype=float), [matrix[3] for matrix in matrices], rtol=1e-6)
    pair = get(client, run, "layer=1&kind=cross&image=3&other=5&recording=3")
    assert pair["values"] == pytest.approx(matrices[3][3, 5])


def test_images_in_their_forms(client):
    run = make_run(**SPEC)
    written = [run.functions[Measure.SELF_SIMILARITY, 2, t] for t in (1, 2, 3)]
    spread = get(client, run, "layer=2&kind=self")
    assert (spread["kind"], spread["recordings"]) == ("self", [1, 2, 3])
    np.testing.assert_allclose(spread["mean"], [values.astype(float).mean() for values in written])
    np.testing.assert_allclose(get(client, run, "layer=2&kind=self&recording=2")["values"], written[1], rtol=1e-6)
    of = get(client, run, "layer=2&kind=self&image=6")
    np.testing.assert_allclose(of["values"], [values[6] for values in written], rtol=1e-6)


def test_they_do_not_stand_among_other_quantities(client):
    run, plain = make_run(**SPEC), make_run()
    for call in ("self-similarity?layer=1", "neighbours?layer=1", "early-to-mid"):
        with_functions, without = (client.get(f"/api/v1/runs/{one.id}/{call}").json() for one in (run, plain))
        assert with_functions.keys() == without.keys()
    ratios = client.get(f"/api/v1/runs/{run.id}/early-to-mid").json()["ratios"]
    assert [one["quantity"] for one in ratios] == ["path"]


@pytest.mark.parametrize(
    ("spec", "call", "status", "said"),
    [
        ({}, "layer=1&kind=self", 404, "records path, not image_function"),
        (SPEC, "layer=3&kind=self", 404, "layers 1 to 2"),
        (SPEC, "layer=1&kind=self&recording=0", 404, "recordings 1 to 3"),
        (SPEC, "layer=1&kind=cross&recording=9", 404, "recordings 0 to 3"),
        (SPEC, "layer=1&kind=cross&image=8", 404, "probe images 0 to 7"),
        (SPEC, "layer=1", 422, "kind"),
        (SPEC, "layer=1&kind=both", 422, "kind"),
        (SPEC, "layer=1&kind=self&image=1&other=2", 422, "only with kind cross"),
        (SPEC, "layer=1&kind=cross&other=2", 422, "needs the image"),
        (SPEC, "layer=1&kind=cross&quantity=path", 422, "quantity"),
    ],
)
def test_what_does_not_exist_is_answered_by_what_does(client, spec, call, status, said):
    answer = client.get(f"/api/v1/runs/{make_run(**spec).id}/image-function?{call}")
    assert answer.status_code == status
    assert said in answer.json()["detail"]
