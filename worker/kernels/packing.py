"""Paths as packed bits: 64 units to a word, unit 0 in the lowest bit of word 0, the last word filled with zeros.

An eighth of the memory of booleans and a thirty-second of float32's. Zeros at the end are units that are off for every
image: they change no count. The words are int64, the widest integers that torch can AND on every device.
"""

import sys
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int8, Int64, UInt8, UInt64
from numpy import ndarray
from torch import Tensor

TILE_ROWS = 256
"""So many images are packed at a time."""

if sys.byteorder != "little":
    raise ImportError("packed paths are read as words of little-endian bytes; this machine's are big-endian")


def pack(paths: Bool[Tensor, "images units"] | Int64[Tensor, "images words"]) -> Int64[Tensor, "images words"]:
    """The packed form; what is packed already is given back."""
    if paths.dtype == torch.int64:
        return paths
    images, units = paths.shape
    packed = torch.zeros(images, -(-units // 64), dtype=torch.int64, device=paths.device)
    octets = packed.view(torch.uint8)
    for rows in (slice(start, start + TILE_ROWS) for start in range(0, images, TILE_ROWS)):
        octets[rows, : -(-units // 8)] = _packed_bytes(paths[rows])
    return packed


def from_stored(stored: UInt8[ndarray, "images bytes"]) -> Int64[Tensor, "images words"]:
    """Words of what `codec.pack_paths` gives."""
    filled = np.pad(stored, ((0, 0), (0, -stored.shape[1] % 8)))
    return torch.from_numpy(filled).view(torch.int64)


def to_stored(packed: Int64[Tensor, "images words"], units: int) -> UInt8[ndarray, "images bytes"]:
    """What `codec.pack_paths` gives for the same paths."""
    return packed.cpu().view(torch.uint8).numpy()[:, : -(-units // 8)]


def words(packed: Int64[Tensor, "images words"]) -> UInt64[ndarray, "images words"]:
    """The same memory, for compiled code; of packed paths on the CPU."""
    return packed.contiguous().numpy().view(np.uint64)


def unpacked_tiles(packed: Int64[Tensor, "images words"], tile_units: int) -> Iterator[Int8[Tensor, "images units"]]:
    """Tile by tile, 1 where a unit is on and 0 where it is off; a multiple of 64 units each."""
    shifts = torch.arange(8, dtype=torch.uint8, device=packed.device)
    for tile in torch.split(packed.view(torch.uint8), max(tile_units // 64, 1) * 8, dim=1):
        bits = (tile[..., None] >> shifts).bitwise_and_(1)
        yield bits.flatten(1).view(torch.int8)


def _packed_bytes(paths: Bool[Tensor, "images units"]) -> UInt8[Tensor, "images bytes"]:
    if paths.device.type == "cpu":
        return torch.from_numpy(np.packbits(paths.numpy(), axis=1, bitorder="little"))
    filled = F.pad(paths.to(torch.uint8), (0, -paths.shape[1] % 8))
    shifts = torch.arange(8, dtype=torch.uint8, device=paths.device)
    return (filled.reshape(len(paths), -1, 8) << shifts).sum(2, dtype=torch.uint8)
