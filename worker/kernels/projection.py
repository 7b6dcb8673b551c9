"""Projection p | H_t (Eq. 9): the forward pass on today's weights along a path that is given.

Every ReLU is replaced by a fixed gate: output = pre-activation ⊙ p. Along an image's own path of today it is the
ordinary forward pass, to the bit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from worker.kernels.packing import unpacked_tiles
from worker.nets import evaluating
from worker.recorder import RELUS

Packed = Int64[Tensor, "_ _"]


class Outcome(NamedTuple):
    """What the net says of each image: its cross-entropy, and 1 where the largest logit is that of its label, else 0.

    Both are NaN for an image whose loss is not finite.
    """

    loss: Float32[Tensor, " images"]
    right: Float32[Tensor, " images"]


def project(
    net: nn.Module,
    images: Float[Tensor, "images ..."],
    paths: Sequence[Packed],
    batch_size: int = 256,
    bf16: bool = False,
) -> Float32[Tensor, "images classes"]:
    """The logits of these (already normalised) images along the packed `paths`, one per ReLU call, in order.

    In eval mode, without gradients, in the batches of `recorder.capture`; random states are left as they were. Costs a
    forward pass. Raises ValueError for paths that are not those of the net's ReLU calls.
    """
    device = images.device.type
    gates = Gates(paths)
    logits = []
    with (
        torch.random.fork_rng([images.device] if device == "cuda" else []),
        evaluating(net),
        torch.autocast(device, torch.bfloat16, enabled=bf16),
    ):
        for start in range(0, len(images), batch_size):
            with gates.batch(slice(start, min(start + batch_size, len(images)))):
                logits.append(net(images[start : start + batch_size]).float())
    return torch.cat(logits)


def outcome(logits: Float32[Tensor, "images classes"], labels: Int64[Tensor, " images"]) -> Outcome:
    loss = F.cross_entropy(logits, labels, reduction="none")
    right = (logits.argmax(1) == labels).float()
    known = loss.isfinite()
    return Outcome(loss.where(known, torch.nan), right.where(known, torch.nan))


class Gates(TorchFunctionMode):
    """While it is active, the k-th ReLU call is the k-th gate."""

    def __init__(self, paths: Sequence[Packed]) -> None:
        super().__init__()
        self.paths = paths
        self.rows = slice(0, 0)
        self.count = 0

    @contextmanager
    def batch(self, rows: slice) -> Iterator[None]:
        """Inside, one forward pass of the images in these rows is gated."""
        self.rows, self.count = rows, 0
        with self:
            yield
        if self.count != len(self.paths):
            raise ValueError(f"the net made {self.count} ReLU calls, but paths of {len(self.paths)} were given")

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func not in RELUS:
            return func(*args, **kwargs)
        before = (args[0] if args else kwargs["input"]).clone(memory_format=torch.preserve_format)
        # The ReLU itself decides on memory layout, and on whether it works in place.
        output = func(*args, **kwargs)
        return output.copy_(gated(before, self._gate(before)))

    def _gate(self, before: Tensor) -> Bool[Tensor, "..."]:
        k, units = self.count, before[0].numel()
        self.count += 1
        if k >= len(self.paths) or self.paths[k].shape[1] != -(-units // 64):
            raise ValueError(f"no path of {units} units was given for ReLU call {k + 1}")
        (tile,) = unpacked_tiles(self.paths[k][self.rows], 64 * self.paths[k].shape[1])
        return tile[:, :units].bool().reshape(before.shape)


def gated(before: Tensor, gate: Bool[Tensor, "..."]) -> Tensor:
    """`before ⊙ gate`, where an off unit gives 0 even if its pre-activation is infinite.

    An off unit that a ReLU would turn off as well gives just what the ReLU gives: -0 for -0, and NaN for NaN.
    """
    return torch.where(gate, before, before.relu().masked_fill(before > 0, 0))
