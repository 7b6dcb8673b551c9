"""Each quantity by hand on a 3-4-2 net, against the definition written as a slow loop, and at the edges."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.kernels import gram
from worker.kernels.activation_similarity import activation_similarity
from worker.kernels.cross_path import cross_path, shared_squares
from worker.kernels.overlap import overlap
from worker.kernels.self_similarity import self_similarity

# A 3-4-2 net before and after one update; the hidden layer's 4 units for 3 images.
INPUTS = torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 1, 0]])
WEIGHTS_BEFORE = torch.tensor([[1.0, 2, -1, 0], [1, -1, 2, 0], [0, 0, 0, 1]])
WEIGHTS_NOW = torch.tensor([[1.0, -2, 1, 0], [2, -1, 2, 0], [0, 0, 0, 1]])
BEFORE = (INPUTS @ WEIGHTS_BEFORE).relu()  # [[1, 2, 0, 0], [1, 0, 2, 0], [2, 1, 1, 0]]
NOW = (INPUTS @ WEIGHTS_NOW).relu()  # [[1, 0, 1, 0], [2, 0, 2, 0], [3, 0, 3, 0]]


def cross(now, before):
    return cross_path(now, before, shared_squares(now), shared_squares(before))


def norm(vector):
    return np.sqrt(float(vector @ vector))


def ratio(numerator, denominator):
    return float(numerator) / denominator if denominator else np.nan


def slow_cross(now, before):
    now, before = now.double().numpy(), before.double().numpy()
    pairs = [[(a * b, c * d) for b, d in zip(now, before, strict=True)] for a, c in zip(now, before, strict=True)]
    return np.array([[ratio(x @ y, norm(x) * norm(y)) for x, y in row] for row in pairs])


def slow_self(now, before):
    pairs = zip(now.double().numpy(), before.double().numpy(), strict=True)
    return np.array([ratio(a @ b, norm(a) * norm(b)) for a, b in pairs])


def slow_cosine(layer):
    rows = layer.double().numpy()
    return np.array([[ratio(a @ b, norm(a) * norm(b)) for b in rows] for a in rows])


def test_overlap_by_hand():
    assert overlap(BEFORE > 0).tolist() == [[2, 1, 2], [1, 2, 2], [2, 2, 3]]
    assert overlap(NOW > 0).tolist() == [[2, 2, 2]] * 3


def test_cross_path_of_paths_by_hand():
    found = cross(NOW > 0, BEFORE > 0)
    # Images 0 and 1 shared unit 0, now share units 0 and 2: 1 / sqrt(2 · 1). Images 0 and 2 shared units 0 and 1.
    half = 1 / np.sqrt(2)
    expected = [[1 / 2, half, 1 / 2], [half, 1, 1], [1 / 2, 1, 2 / np.sqrt(6)]]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_cross_path_of_activations_by_hand():
    found = cross(NOW, BEFORE)
    # Images 0 and 1: (2, 0, 2, 0) now and (1, 0, 0, 0) before. Images 1 and 2: (6, 0, 6, 0) and (2, 0, 2, 0).
    assert found[0, 1].item() == pytest.approx(2 / np.sqrt(8), rel=1e-15)
    assert found[1, 2].item() == pytest.approx(1, rel=1e-15)


def test_self_similarity_by_hand():
    np.testing.assert_allclose(self_similarity(NOW > 0, BEFORE > 0), [1 / 2, 1, 2 / np.sqrt(6)], rtol=1e-15)
    expected = [1 / np.sqrt(10), 6 / np.sqrt(40), 9 / np.sqrt(108)]
    np.testing.assert_allclose(self_similarity(NOW, BEFORE), expected, rtol=1e-15)


def test_activation_similarity_by_hand():
    found = activation_similarity(BEFORE)
    assert found[0, 1].item() == pytest.approx(1 / 5, rel=1e-15)
    assert found[0, 2].item() == pytest.approx(4 / np.sqrt(30), rel=1e-15)


def random_layers(images, units, density, seed):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.rand(images, units, generator=generator) * (torch.rand(images, units, generator=generator) < density)
        for _ in range(2)
    ]


layers = st.builds(
    random_layers,
    images=st.integers(2, 6),
    units=st.integers(1, 37),
    density=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
    seed=st.integers(0, 10_000),
)


@settings(max_examples=60, deadline=None)
@given(layers)
def test_quantities_agree_with_slow_loops(pair):
    now, before = pair
    assert overlap(now > 0).tolist() == [[int((a & b).sum()) for b in now > 0] for a in now > 0]
    np.testing.assert_allclose(cross(now > 0, before > 0), slow_cross(now > 0, before > 0), rtol=1e-12)
    np.testing.assert_allclose(cross(now, before), slow_cross(now, before), rtol=1e-12)
    np.testing.assert_allclose(self_similarity(now > 0, before > 0), slow_self(now > 0, before > 0), rtol=1e-12)
    np.testing.assert_allclose(self_similarity(now, before), slow_self(now, before), rtol=1e-12)
    np.testing.assert_allclose(activation_similarity(now), slow_cosine(now), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(layers)
def test_quantities_keep_their_invariants(pair):
    now, before = pair
    order = torch.randperm(now.shape[1], generator=torch.Generator().manual_seed(1))
    paths = cross(now > 0, before > 0)
    assert torch.equal(paths.nan_to_num(-1), paths.T.nan_to_num(-1))
    assert torch.equal(paths.diagonal().nan_to_num(-1), self_similarity(now > 0, before > 0).nan_to_num(-1))
    assert ((paths.nan_to_num(0) >= 0) & (paths.nan_to_num(0) <= 1)).all()
    shuffled = cross((now > 0)[:, order], (before > 0)[:, order])
    assert torch.equal(paths.nan_to_num(-1), shuffled.nan_to_num(-1))
    np.testing.assert_allclose(cross(now, before), cross(before, now), rtol=1e-12)
    np.testing.assert_allclose(cross(now, before), cross(now[:, order], before[:, order]), rtol=1e-12)
    assert (cross(now, before).nan_to_num(0) <= 1 + 1e-12).all()


def test_an_unchanged_layer_is_exactly_similar_to_itself():
    now, _ = random_layers(5, 33, 0.9, 0)
    assert torch.equal(self_similarity(now > 0, now > 0), torch.ones(5, dtype=torch.float64))
    assert torch.equal(cross(now > 0, now > 0), torch.ones(5, 5, dtype=torch.float64))


def test_tiles_add_up_to_the_whole(monkeypatch):
    now, before = random_layers(4, 50, 0.5, 3)
    whole = [f(now, before) for f in (cross, self_similarity)] + [f(now > 0, before > 0) for f in (cross,)]
    monkeypatch.setattr(gram, "TILE_UNITS", 7)
    tiled = [f(now, before) for f in (cross, self_similarity)] + [f(now > 0, before > 0) for f in (cross,)]
    for one, other in zip(whole, tiled, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


def test_all_units_off_is_undefined():
    off, on = torch.zeros(3, 9), torch.ones(3, 9)
    assert cross(off > 0, on > 0).isnan().all()
    assert cross(on, off).isnan().all()
    assert self_similarity(off, on).isnan().all()
    assert activation_similarity(off).isnan().all()
    assert overlap(off > 0).sum() == 0


def test_no_image_and_no_unit_give_empty_and_undefined():
    assert overlap(torch.zeros(0, 4, dtype=torch.bool)).shape == (0, 0)
    assert self_similarity(torch.zeros(2, 0), torch.zeros(2, 0)).isnan().all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_makes_only_its_image_undefined(bad):
    now, before = random_layers(4, 21, 0.8, 5)
    expected = cross(now, before)
    now[1, 3] = bad
    found, clean = cross(now, before), [0, 2, 3]
    assert found[1].isnan().all()
    assert found[:, 1].isnan().all()
    assert torch.equal(found[clean][:, clean], expected[clean][:, clean])
    assert self_similarity(now, before).isnan().tolist() == [False, True, False, False]
    assert activation_similarity(now).isnan().any(1).tolist() == [True, True, True, True]
    assert not activation_similarity(now)[clean][:, clean].isnan().any()


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_activations_of_any_size_neither_overflow_nor_vanish(scale):
    now, before = random_layers(4, 21, 0.9, 5)
    np.testing.assert_allclose(cross(now * scale, before * scale), cross(now, before), rtol=1e-5)
    np.testing.assert_allclose(activation_similarity(now * scale), activation_similarity(now), rtol=1e-5)
