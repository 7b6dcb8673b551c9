"""How time, memory and storage grow with the probe images and with a layer's width, for one layer of packed paths.

The model: time N²D / 64 words at the measured rate of the population count (two Gram matrices, half of each); memory
two recordings' bits and a few N × N matrices; storage the bits of one recording and 8 bytes per pair.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend.codec import encode, to_pairs
from benchmarks.kernels import DENSITY, peak_words_per_second
from benchmarks.machine import fastest
from worker.kernels.cross_path import cross_path, shared_squares
from worker.kernels.packing import to_stored

IMAGES = (128, 256, 512, 1_024, 2_048)
UNITS = (4_096, 16_384, 65_536, 262_144)


def bench() -> dict[str, Any]:
    peak = peak_words_per_second() * torch.get_num_threads()
    rows = [measured(images, units, peak) for units in UNITS for images in IMAGES]
    return {"density": DENSITY, "peak_words_per_second": peak, "rows": rows, "checks": {}}


def measured(images: int, units: int, peak: float) -> dict[str, Any]:
    """One recording of one layer, given the one before: both Gram matrices and the similarity of all pairs."""
    now, before = (random_packed(images, units, seed) for seed in (0, 1))
    squares = [shared_squares(one) for one in (now, before)]

    def record() -> torch.Tensor:
        return cross_path(now, before, shared_squares(now), squares[1])

    at_rest = _memory("VmRSS")
    _forget_peak()
    (seconds,) = fastest(3, record)
    memory = _memory("VmHWM") - at_rest
    across = to_pairs(record().numpy()).astype(np.float32)
    counts = to_pairs(squares[0].numpy()).astype(np.int32)
    return {
        "images": images,
        "units": units,
        "seconds": seconds,
        "model_seconds": images**2 * (units // 64) / peak,
        "peak_bytes_beyond_the_bits": memory,
        "bits_bytes": 2 * images * units // 8,
        "float32_bytes": 2 * images * units * 4,
        "stored_paths_bytes": len(encode(to_stored(now, units))),
        "stored_pairs_bytes": len(encode(across)) + len(encode(counts)),
        "model_stored_bytes": images * units // 8 + 8 * images * (images - 1) // 2,
    }


def random_packed(images: int, units: int, seed: int) -> torch.Tensor:
    """Bits that are on with a probability of 13/32, made without a float per unit."""
    generator = np.random.default_rng(seed)
    a, b, c, d, e = (generator.integers(0, 2**64, (images, units // 64), np.uint64) for _ in range(5))
    # 0.01101 in binary: from the last digit to the first, OR for a 1 and AND for a 0.
    return torch.from_numpy((((((a) & b) | c) | d) & e).view(np.int64))


def _memory(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")
