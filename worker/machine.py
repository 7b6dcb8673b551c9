"""The machine that a worker runs on: its GPUs as the driver sees them, and how busy it is.

Not asked of torch, which takes seconds to import and belongs to the trainer.
"""

import os
import socket
from functools import lru_cache

import psutil
import pynvml

from backend.machines import GpuLoad, MachineLoad
from backend.services.workers import Machine

VISIBLE = "CUDA_VISIBLE_DEVICES"


@lru_cache
def machine() -> Machine:
    """The machine as it was when the worker started."""
    names = [pynvml.nvmlDeviceGetName(_handle(gpu)) for gpu in gpus()]
    device = ", ".join(names) or f"CPU, {os.cpu_count()} cores"
    return Machine(socket.gethostname(), device, max(len(names), 1), bool(names))


@lru_cache
def gpus() -> tuple[str, ...]:
    """The GPUs that this worker may use, as CUDA_VISIBLE_DEVICES calls them: all, or those that it names already."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    count = pynvml.nvmlDeviceGetCount()
    if VISIBLE not in os.environ:
        return tuple(str(number) for number in range(count))
    named = [name.strip() for name in os.environ[VISIBLE].split(",") if name.strip()]
    # As CUDA does: what follows the first name that stands for no GPU is not seen either.
    unknown = next((place for place, name in enumerate(named) if name.isdigit() and int(name) >= count), len(named))
    return tuple(name for name in named[:unknown] if not name.startswith("-"))


def load() -> MachineLoad:
    """How busy the machine is since this was asked last."""
    memory = psutil.virtual_memory()
    return MachineLoad(
        cores=os.cpu_count() or 1,
        utilisation=psutil.cpu_percent() / 100,
        memory_used=memory.total - memory.available,
        memory_total=memory.total,
        gpus=tuple(_gpu_load(gpu) for gpu in gpus()),
    )


def _gpu_load(gpu: str) -> GpuLoad:
    handle = _handle(gpu)
    used = total = utilisation = None
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        used, total = int(memory.used), int(memory.total)
        utilisation = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    except pynvml.NVMLError:
        pass  # Some, such as a part of a GPU, do not say.
    return GpuLoad(name=pynvml.nvmlDeviceGetName(handle), memory_used=used, memory_total=total, utilisation=utilisation)


def _handle(gpu: str) -> object:
    return pynvml.nvmlDeviceGetHandleByIndex(int(gpu)) if gpu.isdigit() else pynvml.nvmlDeviceGetHandleByUUID(gpu)
