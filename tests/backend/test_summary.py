import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.summary import HISTOGRAM_BINS, QUANTILES, summarise


def test_summary_by_hand():
    found = summarise(np.array([0, 0.25, 0.5, 1], dtype=np.float32))
    assert (found.defined, found.undefined, found.mean) == (4, 0, 0.4375)
    assert found.std == pytest.approx(np.std([0, 0.25, 0.5, 1]))
    assert found.quantiles[QUANTILES.index(0.5)] == 0.375
    assert (found.quantiles[0], found.quantiles[-1]) == (0, 1)
    assert {n: count for n, count in enumerate(found.histogram) if count} == {0: 1, 25: 1, 50: 1, 99: 1}
    assert len(found.histogram) == HISTOGRAM_BINS


def test_undefined_values_are_counted_and_left_out():
    values = np.array([0.2, np.nan, 0.4, np.nan, np.nan])
    found, known = summarise(values), summarise(values[~np.isnan(values)])
    assert found == known._replace(undefined=3)


@pytest.mark.parametrize("values", [np.full(3, np.nan), np.empty(0)])
def test_nothing_defined_has_no_mean(values):
    found = summarise(values)
    assert (found.defined, found.undefined) == (0, len(values))
    assert (found.mean, found.std, found.quantiles) == (None, None, None)
    assert sum(found.histogram) == 0


def test_rounding_past_one_stays_in_the_last_bin():
    assert summarise(np.array([1 + 1e-7, 1.0])).histogram[-1] == 2


def test_summary_of_cosines_has_bins_below_zero():
    found = summarise(np.array([-1.0, -0.5, 0.0, 1.0, np.nan]), least=-1.0)
    assert [n for n, count in enumerate(found.histogram) if count] == [0, 25, 50, 99]
    assert (found.defined, found.undefined, found.mean) == (4, 1, -0.125)


@given(st.lists(st.floats(-1, 1.000000238418579, width=32), min_size=1, max_size=400), st.sampled_from([0.0, -1.0]))
def test_quantiles_and_histogram_are_those_of_numpy_to_the_bit(values, least):
    found = summarise(np.array(values, dtype=np.float32), least)
    known = np.array(values, dtype=np.float32).astype(np.float64)
    assert found.quantiles == np.quantile(known, QUANTILES).tolist()
    assert found.histogram == np.histogram(known.clip(least, 1), bins=100, range=(least, 1))[0].tolist()
