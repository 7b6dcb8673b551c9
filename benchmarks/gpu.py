"""One recording of ResNet-18 at 32×32 on an NVIDIA GPU: 17 layers, paths and activations, all pairs.

A floor stands beside each figure: the arithmetic at the measured rate of the matrix product, or the bytes at the
measured bandwidth of a copy, whichever is more.
"""

from typing import Any

import torch

from benchmarks.machine import fastest
from worker.kernels import gram
from worker.kernels.activation_similarity import activation_similarity
from worker.kernels.cross_path import cross_path, shared_squares
from worker.kernels.packing import pack

IMAGES = 10_000
LAYERS = (65_536,) * 5 + (32_768,) * 4 + (16_384,) * 4 + (8_192,) * 4
"""557,056 units."""
GEMM = 8_192


REHEARSAL_IMAGES = 64
REHEARSAL_GEMM = 256


def bench(rehearsal: bool = False) -> dict[str, Any]:
    """`rehearsal` goes through it with tiny sizes, on the CPU where there is no GPU; its figures mean nothing."""
    cuda = torch.cuda.is_available()
    if not cuda and not rehearsal:
        return {"gpu": "no GPU", "checks": {}}
    device = torch.device("cuda" if cuda else "cpu")
    images, size = (REHEARSAL_IMAGES, REHEARSAL_GEMM) if rehearsal else (IMAGES, GEMM)
    torch.backends.cuda.matmul.allow_tf32 = True
    ceilings = {
        name: rate(dtype, size, device)
        for name, dtype in (("int8", torch.int8), ("bf16", torch.bfloat16), ("tf32", torch.float32))
    }
    seconds = {"path": 0.0, "activation": 0.0}
    by_width = {units: layer_seconds(images, units, device) for units in sorted(set(LAYERS))}
    for units in LAYERS:
        for quantity in seconds:
            seconds[quantity] += by_width[units][quantity]
    operations = sum(images**2 * units for units in LAYERS)  # of one Gram matrix, half of it, two a product
    floors = {"path": 2 * operations / ceilings["int8"], "activation": 3 * operations / ceilings["tf32"]}
    total = sum(seconds.values())
    share = sum(floors.values()) / total
    return {
        "rehearsal": rehearsal,
        "images": images,
        "units": sum(LAYERS),
        "seconds": seconds,
        "floor_seconds": floors,
        "total_seconds": total,
        "share_of_gemm_ceiling": share,
        "operations_per_second": ceilings,
        "copy_bytes_per_second": copy_rate(size**2, device),
        "peak_bytes": torch.cuda.max_memory_allocated() if cuda else None,
        "tile_units": {"path": gram.TILE_UNITS_INT8, "activation": gram.TILE_UNITS},
        "checks": {
            "one recording within 1 second": total <= 1,
            "at least half of the matrix products' ceiling": share >= 0.5,
        },
    }


def layer_seconds(images: int, units: int, device: torch.device) -> dict[str, float]:
    torch.manual_seed(0)
    now, before = (torch.randn(images, units, device=device).relu_() for _ in range(2))
    bits, bits_before = pack(now > 0), pack(before > 0)
    squares, squares_before = shared_squares(bits_before), shared_squares(before)

    def path() -> None:
        cross_path(bits, bits_before, shared_squares(bits), squares)

    def activation() -> None:
        cross_path(now, before, shared_squares(now), squares_before)
        activation_similarity(now)

    fastest(1, path, activation)
    return dict(zip(("path", "activation"), fastest(3, path, activation), strict=True))


def rate(dtype: torch.dtype, size: int, device: torch.device) -> float:
    """Operations per second of a large square matrix product."""
    if dtype == torch.int8:
        a = torch.randint(0, 2, (size, size), dtype=dtype, device=device)
        product = torch._int_mm
    else:
        a = torch.randn(size, size, device=device).to(dtype)
        product = torch.mm
    product(a, a.T)
    (seconds,) = fastest(5, lambda: [product(a, a.T) for _ in range(10)])
    return 10 * 2 * size**3 / seconds


def copy_rate(size: int, device: torch.device) -> float:
    """Bytes read and written per second by a copy within the device's memory."""
    a = torch.empty(16 * size, dtype=torch.uint8, device=device)
    b = torch.empty_like(a)
    (seconds,) = fastest(5, lambda: b.copy_(a))
    return 2 * a.numel() / seconds
