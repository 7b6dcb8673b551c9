"""How far apart two images are in data space (Sec. 6.4): `‖x_i − x_j‖₂` of their pixels in [0, 1]."""

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

TILE_PIXELS = 8192


def pixel_distances(images: UInt8[Tensor, "images channels height width"]) -> Float64[Tensor, "images images"]:
    """The distance of every pair, before any normalisation; symmetric, exactly 0 between equal images.

    From whole numbers: ‖x_i‖² + ‖x_j‖² − 2 x_i · x_j of the bytes, which float64 holds without rounding, so that the
    difference of large squares loses nothing.
    """
    gram = torch.zeros(len(images), len(images), dtype=torch.float64, device=images.device)
    for tile in torch.split(images.flatten(1), TILE_PIXELS, dim=1):
        pixels = tile.double()
        gram.addmm_(pixels, pixels.T)
    squares = gram.diagonal()
    return (squares[:, None] + squares - 2 * gram).sqrt() / 255
