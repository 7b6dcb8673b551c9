"""On what and with what a benchmark ran."""

import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

PACKAGES = ("torch", "numpy", "numba", "llvmlite", "zstandard")


def description() -> dict[str, Any]:
    """Device, versions, date, and how busy the machine was before: figures of a busy machine are too high."""
    cuda = torch.cuda.is_available()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "torch_threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "load_1_minute": os.getloadavg()[0],
    }


def fastest(repeats: int, *functions: Callable[[], object]) -> list[float]:
    """Seconds of each function, the least of so many turns: they take turns, so that a busy spell meets all alike."""
    seconds = [float("inf")] * len(functions)
    for _ in range(repeats):
        for i, function in enumerate(functions):
            began = perf_counter()
            function()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[i] = min(seconds[i], perf_counter() - began)
    return seconds


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    wide = " with AVX-512 population count" if "avx512_vpopcntdq" in flags else ""
    return (names[0] if names else platform.processor()) + wide
