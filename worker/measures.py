"""From what was captured at two successive recordings to the measures that are stored of each layer."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from backend.codec import to_pairs
from backend.schemas import Measure, Quantity
from backend.services.recordings import LayerMeasure
from backend.summary import summarise
from worker.kernels.activation_similarity import activation_similarity
from worker.kernels.cross_path import cross_path, shared_squares
from worker.kernels.packing import to_stored
from worker.kernels.self_similarity import self_similarity
from worker.recorder import Capture

Layer = Int64[Tensor, "images words"] | Float[Tensor, "images units"]
"""Packed paths, or activations."""


class Recorded(NamedTuple):
    """A quantity of a layer at the newest recording, with the squared norms that the next recording needs."""

    layer: Layer
    squares: Int64[Tensor, "images images"] | Float64[Tensor, "images images"]


class Measures:
    """Turns captures into measures, recording by recording, and keeps what the next one is compared with.

    To go on from a checkpoint, `step` once more with what its net gives: the comparison starts from there.

    `packed` are the newest recording's paths, layer by layer, whatever the quantities, and `paths` their stored form
    (`codec.pack_paths`).
    """

    def __init__(self, quantities: Sequence[Quantity]) -> None:
        self.quantities = tuple(quantities)
        self.packed: list[Int64[Tensor, "images words"]] = []
        self.paths: list[UInt8[ndarray, "images bytes"]] = []
        self._before: dict[tuple[Quantity, int], Recorded] = {}

    def step(self, captures: Sequence[Capture]) -> list[LayerMeasure]:
        """The measures of a recording: closeness, and from the second recording on the similarities to the last one.

        Pairs are stored as `codec.to_pairs` orders them: overlaps as int32, everything else as float32.
        """
        self.packed = [one.packed for one in captures]
        self.paths = [to_stored(packed, one.units) for packed, one in zip(self.packed, captures, strict=True)]
        return [
            measure
            for k, one in enumerate(captures, start=1)
            for quantity in self.quantities
            for measure in self._measure(quantity, k, self._layer(quantity, k, one))
        ]

    def _layer(self, quantity: Quantity, k: int, one: Capture) -> Layer:
        if quantity is Quantity.PATH:
            return self.packed[k - 1]
        if one.activations is None:
            raise ValueError(f"activations are to be measured, but those of layer {k} ({one.name}) were not captured")
        return one.activations

    def _measure(self, quantity: Quantity, k: int, layer: Layer) -> Iterator[LayerMeasure]:
        before = self._before.get((quantity, k))
        now = self._before[quantity, k] = Recorded(layer, shared_squares(layer))
        yield LayerMeasure(Measure.CLOSENESS, quantity, k, _closeness(quantity, now), None)
        if before is not None:
            across = cross_path(now.layer, before.layer, now.squares, before.squares)
            yield _summarised(Measure.CROSS_PATH, quantity, k, to_pairs(across.cpu().numpy()))
            # Of paths, it stands on the diagonal.
            is_path = quantity is Quantity.PATH
            alone = across.diagonal() if is_path else self_similarity(now.layer, before.layer)
            yield _summarised(Measure.SELF_SIMILARITY, quantity, k, alone.cpu().numpy())


def _closeness(quantity: Quantity, now: Recorded) -> ndarray:
    """The overlap of paths (their squared norms are just that), or the cosine of activations."""
    if quantity is Quantity.PATH:
        return to_pairs(now.squares.cpu().numpy()).astype(np.int32)
    return to_pairs(activation_similarity(now.layer).cpu().numpy()).astype(np.float32)


def _summarised(measure: Measure, quantity: Quantity, k: int, values: ndarray) -> LayerMeasure:
    stored = values.astype(np.float32)
    return LayerMeasure(measure, quantity, k, stored, summarise(stored))
