"""Any two times: how much of an image's path at recording s is left at recording t.

    x_i(s, t) = p_i^s · p_i^t / (|p_i^s| |p_i^t|)

For s = t - 1 it is self-similarity.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from worker.kernels.overlap import Paths, normalised, row_counts, self_overlap
from worker.kernels.packing import pack


class Path(NamedTuple):
    """The packed paths of a layer at one recording, and how many units of it are on for each image."""

    packed: Int64[Tensor, "images words"]
    counts: Int64[Tensor, " images"]

    @classmethod
    def of(cls, paths: Paths) -> "Path":
        packed = pack(paths)
        return cls(packed, row_counts(packed))


def two_times(now: Path, earlier: Iterable[Path]) -> Float64[Tensor, "recordings images"]:
    """The similarity of each image's path now with that at each earlier recording; NaN where either has no unit on.

    Each is the correctly rounded ratio of integers, in [0, 1]. One earlier recording at a time is looked at.
    """
    rows = [normalised(self_overlap(now.packed, one.packed), now.counts, one.counts) for one in earlier]
    return torch.stack(rows) if rows else torch.empty(0, len(now.packed), dtype=torch.float64)
