"""Gram matrices over the units of a layer, tile by tile, so that only one tile at a time is held as floats or bytes.

Paths are counted as packed bits on the CPU, and by the GPU's integer matrix product, unpacked tile by tile: the same
integers either way. Activations are multiplied in float64 on the CPU. On a GPU it is float32, or TF32 where torch is
allowed to use it, within a tile, and float64 over the tiles; the terms are never negative, so nothing cancels. Rows are
scaled to a maximum of 1 first, and back in float64: products of four float32 numbers neither overflow nor vanish.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from worker import popcount
from worker.kernels.packing import pack, unpacked_tiles, words

TILE_UNITS = 8192
"""Of activations, in float64 on the CPU and in float32 on a GPU."""
TILE_UNITS_INT8 = 65536
"""Of paths on a GPU, a byte each; below 2^31, so that an int32 holds every count of a tile exactly."""
LEAST_TILE_UNITS = 256
INT8_ROWS = 32
"""A GPU's product of bytes takes more than 16 rows, in eights."""
BLOCK_IMAGES = 2048
"""Pairs are multiplied in blocks of so many images: those below the diagonal are mirrored."""


def count_gram(
    paths: Bool[Tensor, "images units"] | Int64[Tensor, "images words"],
) -> Int64[Tensor, "images images"]:
    """`P Pᵀ`: how many units are on for both images; exact integers. Takes paths, packed or not."""
    packed = pack(paths)
    if packed.device.type == "cpu":
        return torch.from_numpy(popcount.gram(words(packed), torch.get_num_threads()))
    return with_smaller_tiles(lambda tile: unpacked_gram(packed, tile), TILE_UNITS_INT8)


def unpacked_gram(packed: Int64[Tensor, "images words"], tile_units: int) -> Int64[Tensor, "images images"]:
    """`P Pᵀ` by matrix products of bytes that are summed in int32, on any device."""
    images = len(packed)
    filled = F.pad(packed, (0, 0, 0, -images % INT8_ROWS))
    counts = torch.zeros(len(filled), len(filled), dtype=torch.int64, device=packed.device)
    for units in unpacked_tiles(filled, tile_units):
        for rows, others in _blocks(len(filled)):
            counts[rows, others] += torch._int_mm(units[rows], units[others].T)
    return _mirrored(counts)[:images, :images]


def product_gram(
    now: Float[Tensor, "images units"], before: Float[Tensor, "images units"] | None = None
) -> Float64[Tensor, "images images"]:
    """`S Sᵀ` for S = now ⊙ before, or for S = now.

    A row that holds an infinite or NaN value makes its pairs infinite or NaN, and no others.
    """
    if now.device.type == "cpu":
        return multiplied_gram(now, before, TILE_UNITS, torch.float64)
    return with_smaller_tiles(lambda tile: multiplied_gram(now, before, tile, torch.float32), TILE_UNITS)


def multiplied_gram(
    now: Float[Tensor, "images units"],
    before: Float[Tensor, "images units"] | None,
    tile_units: int,
    dtype: torch.dtype,
) -> Float64[Tensor, "images images"]:
    """`S Sᵀ` with a tile's products in `dtype`, the sum over tiles in float64, and rows scaled to at most 1 between."""
    images = len(now)
    gram = torch.zeros(images, images, dtype=torch.float64, device=now.device)
    factors = [(one, _row_maxima(one).to(dtype)) for one in (now, before) if one is not None]
    for tile in tiles(now.shape[1], tile_units):
        units = torch.ones((), dtype=dtype, device=now.device)
        for factor, maxima in factors:
            units = units * (factor[:, tile].to(dtype) / maxima)
        for rows, others in _blocks(images):
            gram[rows, others] += units[rows] @ units[others].T
    scale = torch.cat([maxima for _, maxima in factors], dim=1).double().prod(dim=1)
    return _mirrored(gram) * (scale[:, None] * scale)


def with_smaller_tiles(compute: Callable[[int], Tensor], tile_units: int) -> Tensor:
    """What `compute` gives for the largest tile, halved again and again, whose work fits into the GPU's memory.

    Raises torch.OutOfMemoryError where not even LEAST_TILE_UNITS do.
    """
    while True:
        try:
            return compute(tile_units)
        except torch.OutOfMemoryError:
            if tile_units <= LEAST_TILE_UNITS:
                raise
        # Outside the handler: the exception would keep the tensors of the failed attempt.
        tile_units //= 2
        torch.cuda.empty_cache()


def tiles(units: int, tile_units: int | None = None) -> Iterator[slice]:
    """Slices of at most `tile_units`, by default TILE_UNITS."""
    step = tile_units or TILE_UNITS
    return (slice(start, start + step) for start in range(0, units, step))


def _blocks(images: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of rows, each with all columns from its first row on."""
    for start in range(0, images, BLOCK_IMAGES):
        yield slice(start, start + BLOCK_IMAGES), slice(start, images)


def _mirrored(gram: Tensor) -> Tensor:
    """The upper blocks copied to below the diagonal, in place."""
    for rows, others in _blocks(len(gram)):
        below = slice(rows.stop, others.stop)
        gram[below, rows] = gram[rows, below].T
    return gram


def _row_maxima(layer: Float[Tensor, "images units"]) -> Float[Tensor, "images 1"]:
    """Of the absolute values, and 1 where all are 0 or there are none; NaN where one is not finite."""
    if not layer.shape[1]:
        return layer.new_ones(len(layer), 1)
    maxima = torch.maximum(layer.amax(1, keepdim=True), -layer.amin(1, keepdim=True))
    return maxima.masked_fill(maxima == 0, 1).masked_fill(maxima.isinf(), torch.nan)
