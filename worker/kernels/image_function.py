"""Image functions (Eqs. 3, 10): what one image alone would add to a layer's weights, compared by the cosine.

    f_i = Σ_p z_ip ⊗ a_ip

is the gradient of image i's loss with respect to a weight: z the gradient at the weight's output, a what comes in, p
the positions: one for a linear layer, one per output pixel for a convolution, where a is the patch under the kernel.
For one position (f_i · f_j) = (z_i · z_j)(a_i · a_j), and no f is ever formed. Otherwise it is formed for a few input
channels at a time, for all images, and each entry once.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, repeat, zip_longest
from operator import attrgetter
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, Float64
from torch import Tensor

TILE_NUMBERS = 2**22
"""So many entries of gradients, and of patches, are held at a time."""


class Geometry(NamedTuple):
    """How a convolution takes its patches; what comes in is padded already."""

    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


class Call(NamedTuple):
    """A weight was used once: what came in, and the gradient of each image's own loss at what came out.

    Channels stand on the second axis. `weight` is any number that calls of the same weight share: their gradients add.
    """

    weight: int
    incoming: Float32[Tensor, "images channels height width"]
    gradient: Float32[Tensor, "images outputs rows columns"]
    geometry: Geometry = Geometry()


class Cosines(NamedTuple):
    """`cross` of every pair of images at one time, `alone` of each image with itself at another time.

    In [-1, 1] up to rounding; NaN where a function is 0, or holds an infinite or NaN value.
    """

    cross: Float64[Tensor, "images images"]
    alone: Float64[Tensor, " images"] | None


def compare(now: Sequence[Call], before: Sequence[Call] | None = None) -> Cosines:
    """The cosines of image functions over all weights that are called, with those of `before` where it is given.

    The same weights must have been called then. Each entry of a gradient is formed once.
    """
    images, device = len(now[0].incoming), now[0].incoming.device
    gram = torch.zeros(images, images, dtype=torch.float64, device=device)
    both, before_squares = torch.zeros(2, images, dtype=torch.float64, device=device)
    then = _by_weight(_scaled(before)) if before is not None else []
    for uses, earlier in zip_longest(_by_weight(_scaled(now)), then):
        for products, dots, squares in _parts(uses, earlier):
            gram += products
            both += dots
            before_squares += squares
    norms = gram.diagonal().sqrt()
    alone = both / (norms * before_squares.sqrt()) if before is not None else None
    return Cosines(gram / (norms[:, None] * norms), alone)


def gradient_tiles(uses: Sequence[Call]) -> Iterator[Float32[Tensor, "images entries"]]:
    """The gradient of one weight, image by image: a part of its entries at a time, each of them once."""
    outputs, channels = uses[0].gradient.shape[1], uses[0].incoming.shape[1]
    groups = uses[0].geometry.groups
    inside, step = channels // groups, _tile_channels(uses)
    for group in range(groups):
        rows = slice(group * outputs // groups, (group + 1) * outputs // groups)
        for start in range(group * inside, (group + 1) * inside, step):
            columns = slice(start, min(start + step, (group + 1) * inside))
            yield torch.stack([_gradient(one, rows, columns) for one in uses]).sum(0).flatten(1)


def _gradient(call: Call, rows: slice, columns: slice) -> Float32[Tensor, "images outputs entries"]:
    """For some output and input channels; over chunks of images, as patches repeat what comes in."""
    positions = call.gradient[0, 0].numel()
    entries = (columns.stop - columns.start) * call.geometry.kernel[0] * call.geometry.kernel[1]
    chunk = max(1, TILE_NUMBERS // max(1, positions * entries))
    sides = (call.incoming[:, columns], call.gradient[:, rows])
    parts = zip(*(torch.split(side, chunk) for side in sides), strict=True)
    return torch.cat([z.flatten(2) @ _patches(a, call.geometry).mT for a, z in parts])


def _patches(incoming: Tensor, geometry: Geometry) -> Float[Tensor, "images entries positions"]:
    if geometry == Geometry():
        return incoming.flatten(2)
    return F.unfold(incoming, geometry.kernel, geometry.dilation, stride=geometry.stride)


def _tile_channels(uses: Sequence[Call]) -> int:
    images, outputs = uses[0].gradient.shape[:2]
    height, width = uses[0].geometry.kernel
    return max(1, TILE_NUMBERS // max(1, images * outputs // uses[0].geometry.groups * height * width))


def _parts(uses: Sequence[Call], earlier: Sequence[Call] | None) -> Iterator[tuple[Tensor, Tensor | int, Tensor | int]]:
    """Of one weight, part by part: products of all pairs now, those of each image with its earlier one, and of that."""
    if _is_one_position(uses):
        z, a = _vectors(uses[0])
        products = (z @ z.T) * (a @ a.T)
        if earlier:
            w, b = _vectors(earlier[0])
            yield products, (z * w).sum(1) * (a * b).sum(1), w.square().sum(1) * b.square().sum(1)
        else:
            yield products, 0, 0
        return
    for tile, other in zip(gradient_tiles(uses), gradient_tiles(earlier) if earlier else repeat(None), strict=False):
        if other is None:
            yield tile @ tile.T, 0, 0
        else:
            yield tile @ tile.T, torch.linalg.vecdot(tile, other), torch.linalg.vecdot(other, other)


def _is_one_position(uses: Sequence[Call]) -> bool:
    return len(uses) == 1 and uses[0].geometry == Geometry() and uses[0].gradient[0, 0].numel() == 1


def _vectors(call: Call) -> tuple[Float64[Tensor, "images outputs"], Float64[Tensor, "images channels"]]:
    return call.gradient.flatten(1).double(), call.incoming.flatten(1).double()


def _by_weight(calls: Sequence[Call]) -> list[list[Call]]:
    weight = attrgetter("weight")
    return [list(uses) for _, uses in groupby(sorted(calls, key=weight), key=weight)]


def _scaled(calls: Sequence[Call]) -> list[Call]:
    """Gradients divided by the largest of each image: no cosine changes, and squares of small ones do not vanish."""
    largest = torch.stack([call.gradient.abs().flatten(1).amax(1) for call in calls]).amax(0)
    scale = torch.where(largest == 0, 1, largest)[:, None, None, None]
    return [call._replace(gradient=call.gradient / scale) for call in calls]
