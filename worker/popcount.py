"""AND and population count over packed words, compiled for the machine at hand.

A row is an image's units, 64 to a word. The inner loop holds 2 × 4 rows, so that six loads serve eight pairs; with
AVX-512 it counts 512 bits at a time. Tiles of rows and words keep what is read in the core's second cache.

Threads are Python's: the compiled code holds no interpreter lock, and works in any thread and after a fork.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numpy as np
from jaxtyping import Float64, Int64, UInt64
from llvmlite import ir
from numba import njit, types
from numba.core.typing.templates import Signature
from numba.extending import intrinsic
from numpy import ndarray

Part = TypeVar("Part")
Kernel = TypeVar("Kernel", bound=Callable[..., None])

TILE_ROWS = 32
TILE_WORDS = 1024
TILE_PAIRS = 65_536
WORTH_A_THREAD = 10_000_000
"""So many pairs of words are counted in the time that it takes to start a thread, twice over."""


def gram(rows: UInt64[ndarray, "images words"], threads: int = 1) -> Int64[ndarray, "images images"]:
    """How many bits are set in both of each two rows; exact and symmetric."""
    counts = np.zeros((len(rows), len(rows)), dtype=np.int64)
    wanted = min(threads, rows.size * len(rows) // WORTH_A_THREAD)
    _spread(lambda top: _add_tiles(rows, counts, top), range(0, len(rows), TILE_ROWS), wanted)
    return counts


def ratios(
    shared: Int64[ndarray, " pairs"], now: Int64[ndarray, " pairs"], before: Int64[ndarray, " pairs"], threads: int = 1
) -> Float64[ndarray, " pairs"]:
    """`shared / sqrt(now · before)` in one pass, root and quotient correctly rounded; NaN where it is 0 / 0."""
    found = np.empty(len(shared))
    parts = [slice(start, start + TILE_PAIRS) for start in range(0, len(shared), TILE_PAIRS)]
    _spread(lambda part: _divide(shared[part], now[part], before[part], found[part]), parts, min(threads, len(parts)))
    return found


def row_overlaps(
    first: UInt64[ndarray, "images words"], second: UInt64[ndarray, "images words"]
) -> Int64[ndarray, " images"]:
    """How many bits are set in both, row by row."""
    counts = np.zeros(len(first), dtype=np.int64)
    _add_row_overlaps(first, second, counts)
    return counts


def _spread(work: Callable[[Part], None], parts: Iterable[Part], threads: int) -> None:
    """Do each part, in whichever thread is free."""
    if threads <= 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, parts))


def _compiled(function: Kernel) -> Kernel:
    """The function as machine code, kept on disk for later processes where there is a folder to write to."""
    try:
        return cast(Kernel, njit(nogil=True, error_model="numpy", cache=True)(function))
    except RuntimeError:  # numba finds no such folder
        return cast(Kernel, njit(nogil=True, error_model="numpy")(function))


def _generate_popcount(_context: object, _word: object) -> tuple[Signature, Callable[..., ir.Instruction]]:
    def generate(_context: object, builder: ir.IRBuilder, _signature: object, words: list[ir.Value]) -> ir.Instruction:
        return builder.ctpop(words[0])

    return types.uint64(types.uint64), generate


_popcount = cast(Callable[[np.uint64], np.uint64], intrinsic(_generate_popcount))


@_compiled
def _add_tiles(rows: ndarray, counts: ndarray, top: int) -> None:
    """Count a row of tiles, from the diagonal on, in both triangles."""
    images, words = rows.shape
    bottom = min(top + TILE_ROWS, images)
    for left in range(top, images, TILE_ROWS):
        right = min(left + TILE_ROWS, images)
        for start in range(0, words, TILE_WORDS):
            _add_tile(rows, start, min(start + TILE_WORDS, words), counts, top, bottom, left, right)
        for i in range(top, bottom):
            for j in range(max(left, i + 1), right):
                counts[j, i] = counts[i, j]


@_compiled
def _add_tile(
    rows: ndarray, start: int, stop: int, counts: ndarray, top: int, bottom: int, left: int, right: int
) -> None:
    even = top + (bottom - top) // 2 * 2
    fourth = left + (right - left) // 4 * 4
    for i in range(top, even, 2):
        for j in range(left, fourth, 4):
            _add_block(rows, start, stop, counts, i, j)
        for j in range(fourth, right):
            _add_pair(rows, start, stop, counts, i, j)
            _add_pair(rows, start, stop, counts, i + 1, j)
    for i in range(even, bottom):
        for j in range(left, right):
            _add_pair(rows, start, stop, counts, i, j)


@_compiled
def _add_block(rows: ndarray, start: int, stop: int, counts: ndarray, i: int, j: int) -> None:
    """Pairs of two rows with four, in one pass over them."""
    # Only so sliced does the compiler know that the words lie side by side.
    a, b = rows[i, start:stop], rows[i + 1, start:stop]
    c, d = rows[j, start:stop], rows[j + 1, start:stop]
    e, f = rows[j + 2, start:stop], rows[j + 3, start:stop]
    ac = ad = ae = af = bc = bd = be = bf = np.uint64(0)
    for w in range(len(a)):
        ac += _popcount(a[w] & c[w])
        ad += _popcount(a[w] & d[w])
        ae += _popcount(a[w] & e[w])
        af += _popcount(a[w] & f[w])
        bc += _popcount(b[w] & c[w])
        bd += _popcount(b[w] & d[w])
        be += _popcount(b[w] & e[w])
        bf += _popcount(b[w] & f[w])
    counts[i, j] += ac
    counts[i, j + 1] += ad
    counts[i, j + 2] += ae
    counts[i, j + 3] += af
    counts[i + 1, j] += bc
    counts[i + 1, j + 1] += bd
    counts[i + 1, j + 2] += be
    counts[i + 1, j + 3] += bf


@_compiled
def _add_pair(rows: ndarray, start: int, stop: int, counts: ndarray, i: int, j: int) -> None:
    a, b = rows[i, start:stop], rows[j, start:stop]
    both = np.uint64(0)
    for w in range(len(a)):
        both += _popcount(a[w] & b[w])
    counts[i, j] += both


@_compiled
def _divide(shared: ndarray, now: ndarray, before: ndarray, found: ndarray) -> None:
    for n in range(len(shared)):
        found[n] = shared[n] / np.sqrt(float(now[n] * before[n]))


@_compiled
def _add_row_overlaps(first: ndarray, second: ndarray, counts: ndarray) -> None:
    for i in range(len(first)):
        a, b = first[i], second[i]
        both = np.uint64(0)
        for w in range(len(a)):
            both += _popcount(a[w] & b[w])
        counts[i] += both
