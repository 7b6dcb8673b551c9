"""How closely two measures of the same pairs go together. NumPy and SciPy only."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy import stats

Numbers = Float[ndarray, " pairs"] | Int[ndarray, " pairs"]


class Correlation(NamedTuple):
    """Over the `pairs` at which both are defined; None, with the reason, where a coefficient does not exist."""

    pairs: int
    pearson: float | None
    spearman: float | None
    reason: str | None


def correlate(first: Numbers, second: Numbers, names: tuple[str, str] = ("first", "second")) -> Correlation:
    """Pearson's coefficient, and Spearman's: that of the ranks, where equal values share the mean of theirs."""
    defined = ~(np.isnan(first) | np.isnan(second))
    one, other = first[defined].astype(np.float64), second[defined].astype(np.float64)
    if len(one) < 2:
        return Correlation(len(one), None, None, f"{len(one)} defined pairs are too few, at least 2 are needed")
    for name, values in zip(names, (one, other), strict=True):
        if np.ptp(values) == 0:
            return Correlation(len(one), None, None, f"the {name} of all pairs is the same")
    return Correlation(
        len(one), float(stats.pearsonr(one, other).statistic), float(stats.spearmanr(one, other).statistic), None
    )
