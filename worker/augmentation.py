"""How training images are varied. Everything random is drawn by the caller."""

import math

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

CROP_PADDING = 4
CROP_AREA = (0.08, 1.0)
CROP_RATIO = (3 / 4, 4 / 3)
CROP_ATTEMPTS = 10

Box = tuple[int, int, int, int]
"""Left, upper, right, lower."""


def flip_and_crop(
    images: UInt8[Tensor, "all channels height width"],
    batch: Int64[Tensor, " batch"],
    flip: Tensor,
    move: Int64[Tensor, "2 batch"],
) -> UInt8[Tensor, "batch channels height width"]:
    """The batch's images, each moved by its offsets (rows, columns), reflected at the edges, mirrored where `flip`."""
    height, width = images.shape[2:]
    rows = _reflected(torch.arange(height, device=batch.device) + move[0, :, None], height)
    columns = _reflected(torch.arange(width, device=batch.device) + move[1, :, None], width)
    columns = torch.where(flip[:, None], columns.flip(1), columns)
    return images.permute(0, 2, 3, 1)[batch[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _reflected(positions: Int64[Tensor, "batch length"], length: int) -> Int64[Tensor, "batch length"]:
    """Positions beyond an edge come back from it, without repeating the edge itself."""
    period = max(2 * (length - 1), 1)
    positions = positions % period
    return torch.where(positions < length, positions, period - positions)


def random_box(width: int, height: int, draws: np.random.Generator) -> Box:
    """A part of the picture of random area and aspect ratio, as in Szegedy et al. 2015; its middle where none fits."""
    for _ in range(CROP_ATTEMPTS):
        area = width * height * draws.uniform(*CROP_AREA)
        ratio = math.exp(draws.uniform(math.log(CROP_RATIO[0]), math.log(CROP_RATIO[1])))
        across, down = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < across <= width and 0 < down <= height:
            left, upper = int(draws.integers(width - across + 1)), int(draws.integers(height - down + 1))
            return left, upper, left + across, upper + down
    side = min(width, height)
    left, upper = (width - side) // 2, (height - side) // 2
    return left, upper, left + side, upper + side
