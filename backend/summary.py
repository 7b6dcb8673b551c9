"""The distribution of a measure over pairs or images, in the few numbers that are stored and drawn. NumPy only."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64
from numpy import ndarray

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
HISTOGRAM_BINS = 100


class Summary(NamedTuple):
    """How values in [least, 1] are spread; least is 0, but -1 for image functions.

    Undefined ones (NaN) are counted and stay out of every other number.

    `mean`, `std` (of the population) and `quantiles` (at QUANTILES, interpolated linearly) are None where nothing is
    defined; `histogram` counts HISTOGRAM_BINS equal bins.
    """

    defined: int
    undefined: int
    mean: float | None
    std: float | None
    quantiles: list[float] | None
    histogram: list[int]


def summarise(values: Float[ndarray, " values"], least: float = 0.0) -> Summary:
    """Summarise similarities in [least, 1]; rounding may have put them past 1 by a few units in the last place."""
    defined = values[~np.isnan(values)]
    known = defined.astype(np.float64)
    # All that follows is read off one sorted array: that of float32 is sorted fastest.
    ordered = np.sort(defined).astype(np.float64)
    histogram = _histogram(ordered.clip(least, 1), least)
    if not len(known):
        return Summary(0, len(values), None, None, None, histogram)
    quantiles = [_quantile(ordered, part) for part in QUANTILES]
    return Summary(len(known), len(values) - len(known), float(known.mean()), float(known.std()), quantiles, histogram)


def _histogram(ordered: Float64[ndarray, " values"], least: float) -> list[int]:
    """The counts of np.histogram: each bin holds its lower edge, the last one its upper edge as well."""
    edges = np.linspace(least, 1, HISTOGRAM_BINS + 1)
    below = np.searchsorted(ordered, edges)
    below[-1] = len(ordered)
    counts: list[int] = np.diff(below).tolist()
    return counts


def _quantile(ordered: Float64[ndarray, " values"], part: float) -> float:
    """np.quantile's, interpolated linearly, to the bit."""
    place = part * (len(ordered) - 1)
    low = int(place)
    lower, upper = ordered[low], ordered[min(low + 1, len(ordered) - 1)]
    weight = place - low
    between = lower + (upper - lower) * weight if weight < 0.5 else upper - (upper - lower) * (1 - weight)
    return float(between)
