"""Path overlap (Sec. 6.4): how many units are on for both of two images, `p_i · p_j`."""

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from worker import popcount
from worker.kernels.gram import count_gram
from worker.kernels.packing import pack, words

Paths = Bool[Tensor, "images units"] | Int64[Tensor, "images words"]
"""As booleans or packed (`packing.pack`)."""


def overlap(paths: Paths) -> Int64[Tensor, "images images"]:
    """The count for every pair, exact; on the diagonal, how many units are on for the image."""
    return count_gram(paths)


def self_overlap(first: Paths, second: Paths) -> Int64[Tensor, " images"]:
    """How many units are on for an image in both of two recordings, `p_i^s · p_i^t`; exact."""
    one, other = pack(first), pack(second)
    if one.device.type == "cpu":
        return torch.from_numpy(popcount.row_overlaps(words(one), words(other)))
    return _set_bits(one & other).sum(1)


def row_counts(paths: Paths) -> Int64[Tensor, " images"]:
    """How many units are on for each image, `|p_i|²`."""
    return self_overlap(paths, paths)


def normalised(
    shared: Int64[Tensor, "*pairs"], now_squares: Int64[Tensor, "*pairs"], before_squares: Int64[Tensor, "*pairs"]
) -> Float64[Tensor, "*pairs"]:
    """Shared units over the norms: `shared / sqrt(now_squares · before_squares)`; NaN where a norm is 0."""
    if shared.device.type == "cpu":
        flat = [one.reshape(-1).numpy() for one in (shared, now_squares, before_squares)]
        found = popcount.ratios(flat[0], flat[1], flat[2], torch.get_num_threads())
        return torch.from_numpy(found).view(shared.shape)
    return shared / (now_squares * before_squares).double().sqrt()


def _set_bits(words: Int64[Tensor, "images words"]) -> Int64[Tensor, "images words"]:
    """How many bits of each word are set, by sums of ever wider fields; torch has no population count."""
    pairs = words - ((words >> 1) & 0x5555555555555555)
    nibbles = (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333)
    octets = (nibbles + (nibbles >> 4)) & 0x0F0F0F0F0F0F0F0F
    return (octets * 0x0101010101010101) >> 56
