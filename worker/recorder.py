"""What every ReLU of a net gives for the probe images, captured in one forward pass.

Calls are intercepted, not modules: `nn.ReLU` (used twice, in place or not), `F.relu`, `torch.relu`, `tensor.relu()` and
their in-place forms all count, each call as one layer, in the order of the pass. A path is `activation > 0`, which for
a ReLU is the same as `pre-activation > 0`; a pre-activation that is NaN is off.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from worker.kernels.packing import pack, unpacked_tiles
from worker.nets import evaluating

RELUS = {F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}
CONVOLUTIONS = {
    *(torch.conv1d, torch.conv2d, torch.conv3d),
    *(torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d),
}
PRODUCTS = {
    *(F.linear, F.bilinear, torch.mm, torch.addmm, torch.matmul, torch.bmm, torch.einsum),
    *(Tensor.mm, Tensor.addmm, Tensor.matmul, Tensor.__matmul__, Tensor.bmm),
}


class Capture(NamedTuple):
    """One ReLU call: `name` is the path of the module that made it, `kind` what fed it (conv, linear or other).

    `shape` is that of one image's output and `activations` its flattened form in C order, whatever the memory layout,
    or None where only paths were asked for; `non_finite` counts the activations that are infinite or NaN.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    activations: Float32[Tensor, "images units"] | None
    non_finite: int
    bits: Int64[Tensor, "images words"] | None = None

    @property
    def units(self) -> int:
        return math.prod(self.shape)

    @property
    def packed(self) -> Int64[Tensor, "images words"]:
        """The paths as packed bits (`worker.kernels.packing`)."""
        if self.bits is not None:
            return self.bits
        if self.activations is None:
            raise ValueError(f"of the ReLU {self.name} neither paths nor activations were captured")
        return pack(self.activations > 0)

    @property
    def paths(self) -> Bool[Tensor, "images units"]:
        tiles = [tile.bool() for tile in unpacked_tiles(self.packed, self.units)]
        return torch.cat(tiles, dim=1)[:, : self.units]


class Observed(NamedTuple):
    """Every ReLU call of a forward pass, in order, and what the net gave at its end."""

    captures: list[Capture]
    logits: Float32[Tensor, "images ..."]


def capture(
    net: nn.Module,
    images: Float[Tensor, "images ..."],
    batch_size: int = 256,
    bf16: bool = False,
    activations: bool = True,
) -> list[Capture]:
    """The ReLU calls that `observe` finds."""
    return observe(net, images, batch_size, bf16, activations).captures


def observe(
    net: nn.Module,
    images: Float[Tensor, "images ..."],
    batch_size: int = 256,
    bf16: bool = False,
    activations: bool = True,
) -> Observed:
    """Every ReLU call for these (already normalised) images, in order, and the logits; in eval mode, without gradients.

    Modes and random states are left as they were. With `bf16` the pass runs under autocast, as it does in training.
    Without `activations` only the paths are kept, a bit per unit, and no more floats than a batch has.
    Raises ValueError for a net without ReLU, for one whose calls differ from batch to batch, and for a ReLU whose
    output does not have the images on its first axis.
    """
    device = images.device.type
    recorder = Recorder(len(images), activations)
    logits: list[Tensor] = []
    with (
        torch.random.fork_rng([images.device] if device == "cuda" else []),
        evaluating(net),
        torch.autocast(device, torch.bfloat16, enabled=bf16),
        _telling(net, recorder),
    ):
        for start in range(0, len(images), batch_size):
            with recorder.batch(slice(start, min(start + batch_size, len(images)))):
                logits.append(net(images[start : start + batch_size]).float())
    if not recorder.captures:
        raise ValueError(f"{type(net).__name__} makes no ReLU call; paths exist only in nets with ReLU")
    counts = torch.stack(recorder.non_finite).tolist()
    captures = [one._replace(non_finite=count) for one, count in zip(recorder.captures, counts, strict=True)]
    return Observed(captures, torch.cat(logits))


class Recorder(TorchFunctionMode):
    """While it is active, each ReLU's output is copied at once: what comes later may overwrite it in place."""

    def __init__(self, images: int, activations: bool) -> None:
        super().__init__()
        self.images = images
        self.activations = activations
        self.captures: list[Capture] = []
        self.non_finite: list[Int64[Tensor, ""]] = []
        self.rows = slice(0, 0)
        self.within: list[tuple[str, nn.Module]] = []
        self.fed_by = "other"
        self.calls: Counter[str] = Counter()
        self.count = 0

    @contextmanager
    def batch(self, rows: slice) -> Iterator[None]:
        """Inside, one forward pass of the images in these rows is recorded."""
        self.rows, self.within, self.fed_by, self.calls, self.count = rows, [], "other", Counter(), 0
        with self:
            yield
        if self.count != len(self.captures):
            raise ValueError(f"the net made {len(self.captures)} ReLU calls for one batch and {self.count} for another")

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        # The mode is off inside func: what F.relu calls in turn is not seen, so nothing counts twice.
        output = func(*args, **(kwargs or {}))
        if func in RELUS:
            self._record(output)
        elif func in CONVOLUTIONS:
            self.fed_by = "conv"
        elif func in PRODUCTS:
            self.fed_by = "linear"
        return output

    def _record(self, output: Tensor) -> None:
        name, shape = self._name(), tuple(output.shape[1:])
        batch = self.rows.stop - self.rows.start
        if output.ndim < 2 or len(output) != batch:
            raise ValueError(
                f"the ReLU {name} gives shape {tuple(output.shape)}; its first axis must be the {batch} images"
            )
        if self.rows.start == 0:
            self._begin(name, shape, output.device)
        elif self.count >= len(self.captures) or self.captures[self.count].shape != shape:
            raise ValueError(f"the ReLU {name} of shape {shape} was not called like this for the first images")
        self._keep(self.captures[self.count], output.reshape(batch, -1))
        self.count += 1

    def _begin(self, name: str, shape: tuple[int, ...], device: torch.device) -> None:
        units = math.prod(shape)
        activations = torch.empty(self.images, units, device=device) if self.activations else None
        bits = torch.empty(self.images, -(-units // 64), dtype=torch.int64, device=device)
        self.captures.append(Capture(name, self.fed_by, shape, activations, 0, bits))
        self.non_finite.append(torch.zeros((), dtype=torch.int64, device=device))

    def _keep(self, one: Capture, output: Float[Tensor, "batch units"]) -> None:
        if one.activations is not None:
            one.activations[self.rows] = output
        one.packed[self.rows] = pack(output > 0)
        self.non_finite[self.count] += output.isfinite().logical_not_().sum()

    def _name(self) -> str:
        path, module = self.within[-1] if self.within else ("", None)
        self.calls[path] += 1
        if not isinstance(module, nn.ReLU):
            return f"{path}.relu#{self.calls[path]}".removeprefix(".")
        return path or "relu" if self.calls[path] == 1 else f"{path}#{self.calls[path]}"


@contextmanager
def _telling(net: nn.Module, recorder: Recorder) -> Iterator[None]:
    """Inside, each module of the net tells the recorder when its forward begins and ends."""
    handles = []
    for path, module in net.named_modules():

        def enter(module: nn.Module, _: object, path: str = path) -> None:
            recorder.within.append((path, module))

        def leave(*_: object) -> None:
            recorder.within.pop()

        handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
