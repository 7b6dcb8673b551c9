"""Any two times: by hand, against a slow loop, with and without room in memory, after a checkpoint, at the edges."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.schemas import Measure, Quantity
from worker.kernels.packing import pack
from worker.kernels.self_similarity import self_similarity
from worker.kernels.two_times import Path, two_times
from worker.path_history import PathHistory

# The hidden layer of a 3-4-2 net at three recordings, for two images.
FIRST = torch.tensor([[1, 1, 0, 0], [1, 0, 1, 0]]) > 0
SECOND = torch.tensor([[1, 0, 1, 0], [1, 0, 1, 0]]) > 0
THIRD = torch.tensor([[0, 1, 1, 1], [0, 0, 0, 0]]) > 0


def paths_at(t, images=5, units=70, density=0.4):
    generator = torch.Generator().manual_seed(t)
    return torch.rand(images, units, generator=generator) < density


def slow(now, before):
    now, before = now.double(), before.double()
    norms = [float(a.norm() * b.norm()) for a, b in zip(now, before, strict=True)]
    return [float(a @ b) / n if n else np.nan for a, b, n in zip(now, before, norms, strict=True)]


def never(t, k):
    raise AssertionError(f"recording {t} of layer {k} is in memory")


def test_two_times_by_hand():
    found = two_times(Path.of(THIRD), [Path.of(FIRST), Path.of(SECOND), Path.of(THIRD)])
    nan = np.nan
    np.testing.assert_allclose(found, [[1 / 6**0.5, nan], [1 / 6**0.5, nan], [1, nan]], rtol=1e-15)


@settings(max_examples=40, deadline=None)
@given(
    images=st.integers(1, 5),
    units=st.sampled_from([1, 63, 64, 65, 200]),
    density=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    count=st.integers(0, 4),
)
def test_two_times_agree_with_a_slow_loop_and_with_self_similarity(images, units, density, count):
    recordings = [paths_at(t, images, units, density) for t in range(count + 1)]
    found = two_times(Path.of(recordings[-1]), map(Path.of, recordings[:-1]))
    assert found.shape == (count, images)
    for row, before in zip(found, recordings, strict=False):
        np.testing.assert_allclose(row, slow(recordings[-1], before), rtol=1e-14)
        torch.testing.assert_close(row, self_similarity(recordings[-1], before), rtol=0, atol=0, equal_nan=True)


def test_a_history_compares_each_recording_with_all_before_it():
    history = PathHistory(never)
    for t, paths in enumerate((FIRST, SECOND, THIRD)):
        (measure,) = history.step([pack(paths)])
        assert measure[:3] == (Measure.TWO_TIMES, Quantity.PATH, 1)
        assert measure.values.shape == (2, t + 1)
    mean, undefined = measure.values
    np.testing.assert_allclose(mean, [1 / 6**0.5, 1 / 6**0.5, 1], rtol=1e-15)
    assert undefined.tolist() == [1, 1, 1]


def test_a_layer_that_is_all_off_has_no_mean():
    (measure,) = PathHistory(never).step([pack(torch.zeros(3, 9, dtype=torch.bool))])
    assert np.isnan(measure.values[0]).all()
    assert measure.values[1].tolist() == [3]


@pytest.mark.parametrize("room", [0, 100, 400])
def test_a_history_without_room_reads_what_is_stored(room):
    roomy, tight = PathHistory(never), PathHistory(lambda t, k: pack(paths_at(10 * k + t)), memory_bytes=room)
    for t in range(4):
        layers = [pack(paths_at(10 * k + t)) for k in (1, 2)]
        for one, other in zip(roomy.step(layers), tight.step(layers), strict=True):
            np.testing.assert_array_equal(one.values, other.values)


def test_a_history_goes_on_after_a_checkpoint():
    whole = PathHistory(never)
    for t in range(3):
        whole.step([pack(paths_at(t))])
    read = []
    resumed = PathHistory(lambda t, k: read.append((t, k)) or pack(paths_at(t)), count=3)
    for t in (3, 4):
        (one,), (other,) = whole.step([pack(paths_at(t))]), resumed.step([pack(paths_at(t))])
        np.testing.assert_array_equal(one.values, other.values)
    assert read == [(0, 1), (1, 1), (2, 1)]
