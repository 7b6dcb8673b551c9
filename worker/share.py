"""The part of each batch that one of several processes trains on, and how they put theirs together.

The processes of a run train on the same global batches as one process would, in the same order, varied alike. Each
takes its rows of every batch; torch's DistributedDataParallel adds up the gradients. Dropout is drawn for the whole
batch by each of them, so that an image meets the same mask whichever process has it, and their random states stay the
same. What a net draws at random in other ways is each process's own.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel
from torch.overrides import TorchFunctionMode

PATIENCE = timedelta(hours=12)
"""So long the others wait while the first process records; the launcher notices who dies at once, who hangs soon."""

DROPOUTS = {F.dropout, F.dropout1d, F.dropout2d, F.dropout3d}


class OtherFailed(Exception):
    """Another process of the run has failed."""


class Share(NamedTuple):
    """Process `rank` of so many `processes`; one alone has all of every batch."""

    rank: int = 0
    processes: int = 1

    @property
    def alone(self) -> bool:
        return self.processes == 1

    def named(self, device: torch.device) -> str:
        """Where the run is trained, in words."""
        return str(device) if self.alone else f"{self.processes} devices ({device.type})"

    def of(self, rows: Tensor) -> Tensor:
        """The rows of this process, which may be none: counts differ by at most one."""
        return rows if self.alone else torch.tensor_split(rows, self.processes)[self.rank]

    def summed(self, numbers: Tensor) -> Tensor:
        """The sum over the processes, in place."""
        if not self.alone:
            dist.all_reduce(numbers)
        return numbers

    def join(self, device: torch.device) -> None:
        """Meet the other processes, where torchrun's environment says. They leave with `leave`."""
        if device.type == "cuda":
            torch.cuda.set_device(device)
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=PATIENCE, device_id=device if device.type == "cuda" else None)

    def wait(self) -> None:
        """Until all the processes are here."""
        if not self.alone:
            dist.barrier()

    def leave(self) -> None:
        if not self.alone:
            dist.destroy_process_group()


ALONE = Share()


def is_silence(error: Exception) -> bool:
    """Whether this says only that another process no longer answers; that one, or its end, tells why."""
    return isinstance(error, OtherFailed | dist.DistError) or "gloo" in str(error)


def shared(net: nn.Module, device: torch.device) -> tuple[nn.Module, nn.Module]:
    """The net that holds the weights, and the one to train with, which averages gradients over the processes.

    On GPUs, batch norm takes the statistics of the whole batch. Raises ValueError for batch norm on the CPU, where
    torch cannot do that.
    """
    if device.type == "cuda":
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
        return net, DistributedDataParallel(net, device_ids=[device])
    if any(isinstance(module, _BatchNorm) for module in net.modules()):
        raise ValueError(
            "a net with batch norm can be trained by several processes on GPUs alone: on the CPU torch does not "
            "combine their statistics; set devices to 1, or choose a net without batch norm."
        )
    return net, DistributedDataParallel(net)


class WholeDropout(TorchFunctionMode):
    """While it is active, dropout is drawn for a whole batch of `images`, and this share's rows of it are used."""

    def __init__(self, share: Share, images: int) -> None:
        super().__init__()
        self.share = share
        self.images = images

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func not in DROPOUTS:
            return func(*args, **kwargs)
        own = args[0] if args else kwargs.pop("input")
        inplace = kwargs.pop("inplace", False)
        whole = func(_ones_like(own, self.images), *args[1:], **kwargs)
        mask = self.share.of(whole)
        return own.mul_(mask) if inplace else own * mask


def _ones_like(own: Tensor, images: int) -> Tensor:
    """As many rows as the whole batch has, in the memory layout of these: it decides which number falls where."""
    last = own.ndim == 4 and not own.is_contiguous() and own.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if last else torch.contiguous_format
    return torch.empty((images, *own.shape[1:]), dtype=own.dtype, device=own.device, memory_format=layout).fill_(1)
