import numpy as np
import pytest
import torch

from backend.codec import from_pairs, pack_paths
from backend.schemas import Measure, Quantity
from backend.summary import summarise
from worker.measures import Measures
from worker.recorder import Capture

BOTH = (Quantity.PATH, Quantity.ACTIVATION)


def captures_at(t, images=5):
    generator = torch.Generator().manual_seed(t)
    layers = [torch.randn(images, units, generator=generator).relu() for units in (13, 40)]
    return [Capture(f"relu{k}", "other", (one.shape[1],), one, 0) for k, one in enumerate(layers, start=1)]


def by_place(measures):
    return {(one.measure, one.quantity, one.k): one for one in measures}


def test_first_recording_has_closeness_alone():
    measures = Measures(BOTH).step(captures_at(0))
    assert [(one.measure, one.quantity, one.k) for one in measures] == [
        (Measure.CLOSENESS, quantity, k) for k in (1, 2) for quantity in BOTH
    ]
    assert all(one.summary is None for one in measures)


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide")  # pairs without a shared unit
def test_measures_are_those_of_the_definition():
    chosen = Measures(BOTH)
    chosen.step(captures_at(0))
    found = by_place(chosen.step(captures_at(1)))
    assert len(found) == 12
    for k, (now, before) in enumerate(zip(captures_at(1), captures_at(0), strict=True), start=1):
        for quantity in BOTH:
            is_path = quantity is Quantity.PATH
            a, b = ((x.paths if is_path else x.activations).double().numpy() for x in (now, before))
            i, j = np.triu_indices(5, 1)
            both_now, both_before = a[i] * a[j], b[i] * b[j]
            norms = np.linalg.norm(both_now, axis=1) * np.linalg.norm(both_before, axis=1)
            across = (both_now * both_before).sum(1) / norms
            np.testing.assert_allclose(found[Measure.CROSS_PATH, quantity, k].values, across, rtol=1e-6)
            alone = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
            np.testing.assert_allclose(found[Measure.SELF_SIMILARITY, quantity, k].values, alone, rtol=1e-6)
            close = (a[i] * a[j]).sum(1) / (
                1 if is_path else np.linalg.norm(a[i], axis=1) * np.linalg.norm(a[j], axis=1)
            )
            np.testing.assert_allclose(found[Measure.CLOSENESS, quantity, k].values, close, rtol=0 if is_path else 1e-6)


def test_measures_have_the_stored_types_and_summaries():
    chosen = Measures(BOTH)
    chosen.step(captures_at(0))
    for one in chosen.step(captures_at(1)):
        counts = one.measure is Measure.CLOSENESS and one.quantity is Quantity.PATH
        assert one.values.dtype == (np.int32 if counts else np.float32)
        assert one.values.shape == ((5,) if one.measure is Measure.SELF_SIMILARITY else (10,))
        assert one.summary == (None if one.measure is Measure.CLOSENESS else summarise(one.values))


def test_pairs_without_a_shared_unit_are_undefined_and_counted():
    chosen = Measures([Quantity.PATH])
    layer = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
    dead = [Capture("relu", "other", (2,), layer, 0)]
    chosen.step(dead)
    found = by_place(chosen.step(dead))[Measure.CROSS_PATH, Quantity.PATH, 1]
    assert np.isnan(from_pairs(found.values)[0, 1])
    assert (found.summary.undefined, found.summary.mean) == (1, 1)


def test_paths_are_kept_whatever_the_quantities():
    chosen = Measures([Quantity.ACTIVATION])
    assert {one.quantity for one in chosen.step(captures_at(2))} == {Quantity.ACTIVATION}
    for packed, one in zip(chosen.paths, captures_at(2), strict=True):
        np.testing.assert_array_equal(packed, pack_paths(one.paths.numpy()))


def test_measures_go_on_from_a_recording_that_is_stepped_once_more():
    chosen, resumed = Measures(BOTH), Measures(BOTH)
    for t in (0, 1):
        chosen.step(captures_at(t))
    resumed.step(captures_at(1))
    for one, other in zip(chosen.step(captures_at(2)), resumed.step(captures_at(2)), strict=True):
        assert one[:3] == other[:3]
        np.testing.assert_array_equal(one.values, other.values)


def test_measures_of_paths_need_no_activations_and_those_of_activations_say_so():
    with_both, paths_alone = captures_at(0), [one._replace(activations=None, bits=one.packed) for one in captures_at(0)]
    expected = Measures([Quantity.PATH]).step(with_both)
    for one, other in zip(Measures([Quantity.PATH]).step(paths_alone), expected, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
    with pytest.raises(ValueError, match=r"layer 1 \(relu1\) were not captured"):
        Measures(BOTH).step(paths_alone)
