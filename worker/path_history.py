"""The paths of every recording so far, and the comparison of each new one with all before it."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy import ndarray
from torch import Tensor

from backend.schemas import Measure, Quantity
from backend.services.recordings import LayerMeasure
from worker.kernels.two_times import Path, two_times

Packed = Int64[Tensor, "images words"]

MEMORY_BYTES = 2 * 2**30


class PathHistory:
    """The paths of recordings 0, 1, …: in memory up to `memory_bytes`, the others read again where they are stored.

    `read(t, k)` gives the stored packed paths. A history that goes on after a checkpoint begins with `count`
    recordings, all of them stored.
    """

    def __init__(self, read: Callable[[int, int], Packed], count: int = 0, memory_bytes: int = MEMORY_BYTES) -> None:
        self.count = count
        self._read = read
        self._free_bytes = memory_bytes
        self._held: dict[tuple[int, int], Path] = {}

    def at(self, t: int, k: int) -> Path:
        """The paths of layer k at recording t; kept from now on where there is room."""
        return self._held.get((t, k)) or self._keep(t, k, Path.of(self._read(t, k)))

    def step(self, packed: Sequence[Packed]) -> list[LayerMeasure]:
        """Add a recording, layer by layer, and compare it with all recordings so far, itself among them.

        The stored form has two rows with a column for each s ≤ t: the mean over the images in which both paths have a
        unit on (NaN where there is none), and the number of the others.
        """
        t = self.count
        self.count += 1
        return [
            LayerMeasure(Measure.TWO_TIMES, Quantity.PATH, k, self._compare(t, k, Path.of(layer)), None)
            for k, layer in enumerate(packed, start=1)
        ]

    def _compare(self, t: int, k: int, now: Path) -> Float64[ndarray, "2 recordings"]:
        device = now.packed.device
        self._keep(t, k, now)
        earlier = (Path(*(part.to(device) for part in self.at(s, k))) for s in range(t))
        similarity = torch.cat([two_times(now, earlier).to(device), two_times(now, [now])]).cpu().numpy()
        undefined = np.isnan(similarity)
        defined = (~undefined).sum(axis=1)
        total = np.where(undefined, 0, similarity).sum(axis=1)
        mean = np.where(defined > 0, total / np.maximum(defined, 1), np.nan)
        return np.stack([mean, undefined.sum(axis=1)])

    def _keep(self, t: int, k: int, path: Path) -> Path:
        size = path.packed.nbytes + path.counts.nbytes
        if size <= self._free_bytes and (t, k) not in self._held:
            self._free_bytes -= size
            self._held[t, k] = path
        return path
