"""Gram matrices over the units of a layer, tile by tile, so that only one tile at a time is held as floats."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

TILE_UNITS = 8192
"""Below 2^24, so that float32 holds every count of a tile exactly."""


def count_gram(paths: Bool[Tensor, "images units"]) -> Int64[Tensor, "images images"]:
    """`P Pᵀ`: how many units are on for both images; exact integers."""
    counts = torch.zeros(len(paths), len(paths), dtype=torch.int64, device=paths.device)
    for tile in tiles(paths.shape[1]):
        on = paths[:, tile].float()
        counts += (on @ on.T).long()
    return counts


def product_gram(
    now: Float[Tensor, "images units"], before: Float[Tensor, "images units"] | None = None
) -> Float64[Tensor, "images images"]:
    """`S Sᵀ` for S = now ⊙ before, or for S = now.

    In float64: products of four float32 numbers neither overflow nor vanish there. A row that holds an infinite or NaN
    value makes its pairs infinite or NaN, and no others.
    """
    gram = torch.zeros(len(now), len(now), dtype=torch.float64, device=now.device)
    for tile in tiles(now.shape[1]):
        units = now[:, tile].double()
        if before is not None:
            units *= before[:, tile]
        gram.addmm_(units, units.T)
    return gram


def tiles(units: int) -> Iterator[slice]:
    return (slice(start, start + TILE_UNITS) for start in range(0, units, TILE_UNITS))
