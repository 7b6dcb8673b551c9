"""Path overlap (Sec. 6.4): how many units are on for both of two images, `p_i · p_j`."""

from jaxtyping import Bool, Int64
from torch import Tensor

from worker.kernels.gram import count_gram


def overlap(paths: Bool[Tensor, "images units"]) -> Int64[Tensor, "images images"]:
    """The count for every pair, exact; on the diagonal, how many units are on for the image."""
    return count_gram(paths)
