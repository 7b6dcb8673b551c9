"""All-pairs cross-path similarity of packed paths, against float32 matrix products and against a loop over pairs."""

from typing import Any

import numpy as np
import torch
from numba import njit

from benchmarks.machine import fastest
from worker import popcount
from worker.kernels.cross_path import cross_path, shared_squares
from worker.kernels.packing import pack, to_stored, words

IMAGES, UNITS, DENSITY = 1_000, 65_536, 0.4
PAIRS = [(n % IMAGES, (n * 7 + 1) % IMAGES) for n in range(200)]
"""So many of all are timed in a loop."""
PEAK_WORDS = 512
"""Of eight bytes: they lie in the first cache."""


def bench(repeats: int = 5) -> dict[str, Any]:
    torch.manual_seed(0)
    paths = [torch.rand(IMAGES, UNITS) < DENSITY for _ in range(2)]
    now, before = (pack(one) for one in paths)
    floats = [one.float() for one in paths]
    before_squares = shared_squares(before)
    slow_squares = floats[1] @ floats[1].T

    def packed() -> torch.Tensor:
        return cross_path(now, before, shared_squares(now), before_squares)

    def products() -> torch.Tensor:
        shared = floats[0] * floats[1]
        return (shared @ shared.T) / ((floats[0] @ floats[0].T) * slow_squares).sqrt()

    if not torch.allclose(packed(), products().double(), atol=1e-6):
        raise RuntimeError("the two ways disagree")
    ours, gemm = fastest(repeats, packed, products)
    gram, int8 = fastest(
        repeats, lambda: shared_squares(now), lambda: torch._int_mm(paths[0].to(torch.int8), paths[0].to(torch.int8).T)
    )
    pairs = IMAGES * (IMAGES - 1) / 2
    loops = {name: seconds * pairs for name, seconds in loop_seconds_per_pair(now, before).items()}
    loop = loops["from packed bits"]
    peak = peak_words_per_second() * torch.get_num_threads()
    counted = 2 * (IMAGES + 1) * IMAGES / 2 * words(now).shape[1]
    return {
        "images": IMAGES,
        "units": UNITS,
        "density": DENSITY,
        "packed_seconds": ours,
        "float32_seconds": gemm,
        "pair_loop_seconds": loops,
        "one_gram_packed_seconds": gram,
        "one_gram_int8_seconds": int8,
        "times_faster_than_float32": gemm / ours,
        "times_faster_than_pair_loop": {name: seconds / ours for name, seconds in loops.items()},
        "peak_words_per_second": peak,
        "share_of_peak": counted / ours / peak,
        "one_gram_share_of_peak": counted / 2 / gram / peak,
        "checks": {
            "cross-path at least 10 times as fast as float32 matrix products": gemm / ours >= 10,
            "cross-path at least 3,000 times as fast as a loop over pairs": loop / ours >= 3_000,
        },
    }


def loop_seconds_per_pair(now: torch.Tensor, before: torch.Tensor) -> dict[str, float]:
    """The definition written with NumPy, timed on a part of the pairs: from the packed bits, and from unpacked rows."""
    p, q = to_stored(now, UNITS), to_stored(before, UNITS)
    unpacked = [np.unpackbits(one, axis=1, bitorder="little").astype(np.float64) for one in (p, q)]

    def similarity(a: np.ndarray, b: np.ndarray) -> float:
        return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))

    def from_bits() -> None:
        for i, j in PAIRS:
            a, c, b, d = (np.unpackbits(row, bitorder="little").astype(np.float64) for row in (p[i], p[j], q[i], q[j]))
            similarity(a * c, b * d)

    def from_rows(p: np.ndarray, q: np.ndarray) -> None:
        for i, j in PAIRS:
            similarity(p[i] * p[j], q[i] * q[j])

    halves = [one.astype(np.float32) for one in unpacked]
    bits, doubles, floats = fastest(3, from_bits, lambda: from_rows(*unpacked), lambda: from_rows(*halves))
    ways = {"from packed bits": bits, "from float64 rows": doubles, "from float32 rows": floats}
    return {name: seconds / len(PAIRS) for name, seconds in ways.items()}


@njit(nogil=True)
def _count(row: np.ndarray, turns: int) -> int:
    total = np.uint64(0)
    for turn in range(turns):
        for w in range(len(row)):
            total += popcount._popcount(row[w] & np.uint64(turn))
    return total


def peak_words_per_second(turns: int = 200_000) -> float:
    """Of one core: AND and population count of words in its first cache, the fastest of five turns."""
    row = np.arange(PEAK_WORDS, dtype=np.uint64)
    _count(row, 1)
    (seconds,) = fastest(5, lambda: _count(row, turns))
    return PEAK_WORDS * turns / seconds
