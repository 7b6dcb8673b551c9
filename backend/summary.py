"""The distribution of a measure over pairs or images, in the few numbers that are stored and drawn. NumPy only."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
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
    known = values[~np.isnan(values)].astype(np.float64)
    histogram = np.histogram(known.clip(least, 1), bins=HISTOGRAM_BINS, range=(least, 1))[0].tolist()
    if not len(known):
        return Summary(0, len(values), None, None, None, histogram)
    quantiles = np.quantile(known, QUANTILES).tolist()
    return Summary(len(known), len(values) - len(known), float(known.mean()), float(known.std()), quantiles, histogram)
