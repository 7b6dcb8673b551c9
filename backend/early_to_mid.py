"""The early-to-mid ratio of a run (Fig. 7), from the stored distributions of cross-path similarity. Pure.

    early   the mean over every defined pair of the recordings t ≥ 1 up to the first decay of the learning rate
    mid     the same, past the first decay and up to the second
    ratio   early / mid

A recording on a decay's epoch is made before any update with the smaller rate, so it belongs to the part that ends
there. Pairs count alike, whichever recording they are of: the mean of a recording weighs as many as are defined in it.
Over layers, early and mid are the plain means of those layers that have both, and the ratio is theirs.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple


class PairMean(NamedTuple):
    """Cross-path similarity of layer k at a recording of this epoch: the mean over its `defined` pairs."""

    k: int
    epoch: float
    defined: int
    mean: float | None


class Ratio(NamedTuple):
    """What is None does not exist; `reason` then says why there is no ratio."""

    early: float | None
    mid: float | None
    ratio: float | None
    reason: str | None


class EarlyToMid(NamedTuple):
    """The ratio over layers and of each layer; `complete`: the second decay has passed, nothing changes any more."""

    over_layers: Ratio
    layers: dict[int, Ratio]
    complete: bool


def early_to_mid(means: Iterable[PairMean], decays: Sequence[int], epoch: float) -> EarlyToMid:
    """The ratios of a run whose learning rate falls after the epochs `decays`; its newest recording is at `epoch`."""
    layer = attrgetter("k")
    by_layer = {k: list(rows) for k, rows in groupby(sorted(means, key=layer), key=layer)}
    layers = {k: _ratio_of_layer(rows, decays, epoch) for k, rows in by_layer.items()}
    complete = len(decays) > 1 and epoch >= decays[1]
    both = [one for one in layers.values() if one.early is not None and one.mid is not None]
    if both:
        early, mid = (sum(getattr(one, part) for one in both) / len(both) for part in ("early", "mid"))
        return EarlyToMid(_ratio(early, mid, None), layers, complete)
    earlies = [one.early for one in layers.values() if one.early is not None]
    reasons = [one.reason for one in layers.values()] or [_missing([], decays, epoch)]
    early_alone = sum(earlies) / len(earlies) if earlies else None
    return EarlyToMid(_ratio(early_alone, None, reasons[0]), layers, complete)


def _ratio_of_layer(rows: list[PairMean], decays: Sequence[int], epoch: float) -> Ratio:
    first, second = (*decays, None, None)[:2]
    early = _pooled(row for row in rows if first is not None and row.epoch <= first)
    mid = _pooled(row for row in rows if first is not None and second is not None and first < row.epoch <= second)
    return _ratio(early, mid, _missing(rows, decays, epoch))


def _pooled(rows: Iterable[PairMean]) -> float | None:
    known = [(row.defined, row.mean) for row in rows if row.mean is not None]
    return sum(defined * mean for defined, mean in known) / sum(defined for defined, _ in known) if known else None


def _ratio(early: float | None, mid: float | None, missing: str | None) -> Ratio:
    if early is None or mid is None:
        return Ratio(early, mid, None, missing)
    if mid == 0:
        return Ratio(early, mid, None, "the mean between the two decays is 0")
    return Ratio(early, mid, early / mid, None)


def _missing(rows: Sequence[PairMean], decays: Sequence[int], epoch: float) -> str:
    """Why early or mid does not exist."""
    if not decays:
        return "the learning rate has no step-wise decay, so training has no early and no middle part"
    if len(decays) == 1:
        return f"the learning rate decays only once (after epoch {decays[0]}); the middle part ends at a second decay"
    first, second = decays[:2]
    for begin, end in ((0, first), (first, second)):
        within = [row for row in rows if begin < row.epoch <= end]
        if not within and epoch <= begin:
            return f"training has not gone past epoch {begin} yet"
        if not within and epoch < end:
            return f"nothing has been compared between epochs {begin} and {end} yet"
        if not within:
            return f"no recording was made between epochs {begin} and {end}"
        if not any(row.defined for row in within):
            return f"no pair is defined between epochs {begin} and {end}"
    return "early and middle part have no layer in common"
