"""Self-similarity (Sec. 7): how much of an image's path stayed the same between two recordings.

    s_i = p_i^{t-1} · p_i^t / (|p_i^{t-1}| |p_i^t|)

and the same with activations a for paths p.
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from worker.kernels.gram import tiles
from worker.kernels.overlap import Paths, normalised, row_counts, self_overlap


def self_similarity(
    now: Paths | Float[Tensor, "images units"],
    before: Paths | Float[Tensor, "images units"],
) -> Float64[Tensor, " images"]:
    """The similarity of each image with itself; NaN where a norm is 0 or an activation infinite or NaN.

    For paths it is the correctly rounded ratio of integers and never above 1.
    """
    if not now.is_floating_point():
        return normalised(self_overlap(now, before), row_counts(now), row_counts(before))
    both, now_squares, before_squares = (
        torch.zeros(len(now), dtype=torch.float64, device=now.device) for _ in range(3)
    )
    for tile in tiles(now.shape[1]):
        a, b = now[:, tile].double(), before[:, tile].double()
        both += (a * b).sum(1)
        now_squares += a.square().sum(1)
        before_squares += b.square().sum(1)
    return both / (now_squares.sqrt() * before_squares.sqrt())
