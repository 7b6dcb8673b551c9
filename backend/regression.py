"""A straight line through the dots of several runs, and how far to trust it (Fig. 7). NumPy and SciPy only."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import stats

RESAMPLES = 2000
LEVEL = 0.95


class Line(NamedTuple):
    """Least squares over `dots` dots, with Pearson's r; what is None does not exist, for `reason`.

    `low` and `high` bound r in 95 % of bootstrap resamples of the dots (percentiles; `undefined` resamples, in which
    all dots coincide in x or y, have no r and are left out). `without[n]` is r when dot n is left out, NaN where there
    is none.
    """

    dots: int
    slope: float | None
    intercept: float | None
    r: float | None
    low: float | None
    high: float | None
    undefined: int
    without: Float[ndarray, " dots"]
    reason: str | None


def line_through(x: Float[ndarray, " dots"], y: Float[ndarray, " dots"]) -> Line:
    """The line of y over x; every x and y must be defined. The same dots always give the same interval."""
    count, nothing = len(x), np.full(len(x), np.nan)
    if count < 3:
        found = {0: "no run is", 1: "1 run is", 2: "2 runs are"}[count]
        return Line(
            count, None, None, None, None, None, 0, nothing, f"{found} too few for a line, at least 3 are needed"
        )
    for name, values in (("ratio", x), ("error", y)):
        if np.ptp(values) == 0:
            return Line(count, None, None, None, None, None, 0, nothing, f"the {name} of all runs is the same")
    fit = stats.linregress(x, y)
    # scipy.stats.bootstrap gives no interval at all when a single resample has no r, so the resamples are drawn here.
    resamples = np.random.default_rng(0).integers(count, size=(RESAMPLES, count))
    drawn = _pearson(x[resamples], y[resamples])
    defined = drawn[~np.isnan(drawn)]
    low, high = (float(end) for end in np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    without = np.array([_pearson(np.delete(x, n), np.delete(y, n)) for n in range(count)])
    return Line(
        count,
        float(fit.slope),
        float(fit.intercept),
        float(fit.rvalue),
        low,
        high,
        len(drawn) - len(defined),
        without,
        None,
    )


def _pearson(x: ndarray, y: ndarray, axis: int = -1) -> ndarray:
    """Along an axis; NaN where either does not vary."""
    dx, dy = x - x.mean(axis=axis, keepdims=True), y - y.mean(axis=axis, keepdims=True)
    norm = np.sqrt((dx**2).sum(axis=axis) * (dy**2).sum(axis=axis))
    varies = (np.ptp(x, axis=axis) > 0) & (np.ptp(y, axis=axis) > 0)
    return np.where(varies, (dx * dy).sum(axis=axis) / np.where(varies, norm, 1), np.nan)
