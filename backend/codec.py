"""How arrays become bytes: paths as packed bits, pair matrices as their upper triangle. NumPy and zstd only.

A stored array is one byte of format version, then a zstd frame that holds an ordinary `.npy` file. Ratios are stored as
float32 (relative error at most 6e-8), counts as int32.
"""

import io
from functools import lru_cache
from typing import Any

import numpy as np
import zstandard
from jaxtyping import Bool, Int, Shaped, UInt8
from numpy import ndarray
from scipy.spatial.distance import squareform

FORMAT_VERSION = 1


def pack_paths(paths: Bool[ndarray, "images units"]) -> UInt8[ndarray, "images bytes"]:
    """Eight units to a byte, unit 0 in the lowest bit; the last byte is filled with zeros."""
    return np.packbits(paths, axis=1, bitorder="little")


def unpack_paths(packed: UInt8[ndarray, "images bytes"], units: int) -> Bool[ndarray, "images units"]:
    """The inverse of `pack_paths` for layers of `units` units."""
    return np.unpackbits(packed, axis=1, count=units, bitorder="little").astype(bool)


def to_npy(array: Shaped[ndarray, "..."]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def encode(array: Shaped[ndarray, "..."], level: int = 1) -> bytes:
    """The stored form of any array."""
    return bytes([FORMAT_VERSION]) + zstandard.compress(to_npy(array), level)


def decode(data: bytes) -> Shaped[ndarray, "..."]:
    """The inverse of `encode`, read-only. Raises ValueError for a format that this version does not know."""
    if not data or data[0] != FORMAT_VERSION:
        raise ValueError(f"stored array has format {data[0] if data else 'none'}, this version reads {FORMAT_VERSION}")
    npy = zstandard.decompress(memoryview(data)[1:])
    end = 10 + int.from_bytes(npy[8:10], "little")
    shape, fortran, dtype = _header(npy[:end])
    return np.frombuffer(npy, dtype, offset=end).reshape(shape, order="F" if fortran else "C")


@lru_cache(maxsize=1000)
def _header(start: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type of a `.npy` file by its first bytes; a figure reads a hundred files with the same."""
    file = io.BytesIO(start)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("stored array has a header of another version than 1.0")
    return np.lib.format.read_array_header_1_0(file)


def to_pairs(matrix: Shaped[ndarray, "images images"]) -> Shaped[ndarray, " pairs"]:
    """The upper triangle without the diagonal, row by row: (0,1), (0,2), …, (N-2,N-1)."""
    pairs: Shaped[ndarray, " pairs"] = matrix[~np.tri(len(matrix), dtype=bool)]
    return pairs


def from_pairs(pairs: Shaped[ndarray, " pairs"]) -> Shaped[ndarray, "images images"]:
    """The symmetric matrix of `to_pairs`; its diagonal is undefined: NaN, or -1 where the pairs are integers."""
    matrix: Shaped[ndarray, "images images"] = squareform(pairs, checks=False)
    np.fill_diagonal(matrix, np.nan if np.issubdtype(matrix.dtype, np.floating) else -1)
    return matrix


def pair_positions(i: int, images: int) -> Int[ndarray, " others"]:
    """Where the pairs of image i with all others, in ascending order, stand in `to_pairs`."""
    others = np.delete(np.arange(images), i)
    low, high = np.minimum(others, i), np.maximum(others, i)
    positions: Int[ndarray, " others"] = low * images - low * (low + 1) // 2 + high - low - 1
    return positions
