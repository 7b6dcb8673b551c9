"""Captures what image functions are made of, and turns it into the measures that are stored of each layer.

Layer k's weights are those of every linear and 2-d convolutional module that is called after ReLU call k - 1 and before
ReLU call k; several (a residual block's convolution and its shortcut) make one function together. What comes after the
last ReLU, the output layer, belongs to none. Biases and the weights of normalisations are left out.
"""

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from backend.codec import to_pairs
from backend.schemas import Measure, Recorded
from backend.services.recordings import LayerMeasure
from backend.summary import summarise
from worker.kernels.image_function import Call, Cosines, Geometry, compare
from worker.nets import evaluating
from worker.recorder import RELUS

MEMORY_BYTES = 2 * 2**30
"""Layers are captured together as long as they need no more than this, with one pass for each such group."""
BATCH_IMAGES = 256


class ImageFunctions:
    """Compares the image functions of a recording with one another, and with those of the recording before."""

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self.memory_bytes = memory_bytes
        self._before: nn.Module | None = None

    def remember(self, net: nn.Module) -> None:
        """The next recording is compared with this net."""
        self._before = copy.deepcopy(net)

    def step(
        self, net: nn.Module, images: Float[Tensor, "images ..."], labels: Int64[Tensor, " images"]
    ) -> list[LayerMeasure]:
        """The cosines of a recording; its net is remembered. Costs a pass forward and back on each of the two nets.

        In fp32 and eval mode, of each image's cross-entropy with its label.
        """
        layers, sizes = _sizes(net, images[:1], labels[:1])
        found: list[LayerMeasure] = []
        for group in _groups(layers, sizes, self.memory_bytes // max(1, 2 * len(images))):
            now = capture_calls(net, images, labels, group)
            before = capture_calls(self._before, images, labels, group) if self._before is not None else None
            for k in group:
                cross, alone = _cosines(now[k], before[k] if before is not None else None, len(images))
                found.append(_measure(Measure.CLOSENESS, k, to_pairs(cross.cpu().numpy())))
                if alone is not None:
                    found.append(_measure(Measure.SELF_SIMILARITY, k, alone.cpu().numpy()))
        self.remember(net)
        return found


def capture_calls(
    net: nn.Module, images: Float[Tensor, "images ..."], labels: Int64[Tensor, " images"], layers: Collection[int]
) -> dict[int, list[Call]]:
    """Of each of these layers, the calls of its weights; the net, its gradients and random states stay as they are."""
    batches: list[list[_Use]] = []
    with torch.random.fork_rng([images.device] if images.device.type == "cuda" else []), evaluating(net):
        for start in range(0, len(images), BATCH_IMAGES):
            rows = slice(start, start + BATCH_IMAGES)
            batches.append(_backpropagate(net, images[rows], labels[rows].to(images.device), layers)[1])
    calls: dict[int, list[Call]] = {k: [] for k in layers}
    for uses in zip(*batches, strict=True):
        if all(use.gradient is not None for use in uses):
            calls[uses[0].k].append(_call(uses))
    return calls


@dataclass
class _Use:
    k: int
    weight: int
    module: nn.Linear | nn.Conv2d
    incoming: Tensor
    gradient: Tensor | None = None

    def keep(self, gradient: Tensor) -> None:
        self.gradient = gradient.detach()


class _Layers(TorchFunctionMode):
    """Counts the ReLU calls made while it is active."""

    count = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        self.count += func in RELUS
        return func(*args, **(kwargs or {}))


def _backpropagate(
    net: nn.Module, images: Tensor, labels: Tensor, layers: Collection[int] | None
) -> tuple[int, list[_Use]]:
    """How many ReLU layers the net has, and every use of a weight in `layers`, or in all of them."""
    inputs = images.clone().requires_grad_()
    uses: list[_Use] = []
    weights = [module for module in net.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    counter = _Layers()

    def note(module: nn.Linear | nn.Conv2d, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        k = counter.count + 1
        if layers is not None and k not in layers:
            return output
        if len(args[0]) != len(images):
            shape = tuple(args[0].shape)
            raise ValueError(f"{module} gets shape {shape}; its first axis must be the {len(images)} images")
        use = _Use(k, weights.index(module), module, args[0].detach())
        output.register_hook(use.keep)  # type: ignore[no-untyped-call]
        uses.append(use)
        # The net goes on with a copy: what works on it in place, a ReLU say, does not reach the noted output.
        return output.clone()

    with torch.enable_grad(), _noting(weights, note), counter:
        # A copy of the leaf, as a net may work in place on what it is given.
        loss = F.cross_entropy(net(inputs.clone()), labels, reduction="sum")
    torch.autograd.grad(loss, inputs)
    return counter.count, uses


@contextmanager
def _noting(modules: Sequence[nn.Module], note: Callable[..., Tensor]) -> Iterator[None]:
    handles = [module.register_forward_hook(note) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _call(uses: Sequence[_Use]) -> Call:
    """The use of a weight in every batch of images as one call, with channels on the second axis."""
    module = uses[0].module
    incoming = torch.cat([use.incoming for use in uses])
    gradient = torch.cat([use.gradient for use in uses if use.gradient is not None])
    if isinstance(module, nn.Linear):
        z, a = (one.reshape(len(one), -1, one.shape[-1]).mT[..., None] for one in (gradient, incoming))
        return Call(uses[0].weight, a, z)
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    padded = F.pad(incoming, module._reversed_padding_repeated_twice, mode=mode)
    geometry = Geometry(_two(module.kernel_size), _two(module.stride), _two(module.dilation), module.groups)
    return Call(uses[0].weight, padded, gradient, geometry)


def _two(numbers: tuple[int, ...]) -> tuple[int, int]:
    return numbers[0], numbers[1]


def _sizes(net: nn.Module, image: Tensor, label: Tensor) -> tuple[int, dict[int, int]]:
    """How many layers the net has, and how many bytes a capture of each takes per image."""
    with torch.random.fork_rng([image.device] if image.device.type == "cuda" else []), evaluating(net):
        layers, uses = _backpropagate(net, image, label.to(image.device), None)
    sizes = dict.fromkeys(range(1, layers + 1), 0)
    for use in uses:
        if use.k <= layers and use.gradient is not None:
            sizes[use.k] += use.incoming.nbytes + use.gradient.nbytes
    return layers, sizes


def _groups(layers: int, sizes: Mapping[int, int], room: int) -> list[list[int]]:
    """Successive layers whose sizes add up to at most `room`; a layer that is larger stands alone."""
    groups: list[list[int]] = []
    free = 0
    for k in range(1, layers + 1):
        if not groups or sizes[k] > free:
            groups.append([])
            free = room
        groups[-1].append(k)
        free -= sizes[k]
    return groups


def _cosines(now: Sequence[Call], before: Sequence[Call] | None, images: int) -> Cosines:
    """All undefined for a layer without weights."""
    if now:
        return compare(now, before)
    nothing = torch.full((images, images), torch.nan, dtype=torch.float64)
    return Cosines(nothing, nothing[0] if before is not None else None)


def _measure(measure: Measure, k: int, values: np.ndarray) -> LayerMeasure:
    stored = values.astype(np.float32)
    return LayerMeasure(measure, Recorded.IMAGE_FUNCTION, k, stored, summarise(stored, least=-1.0))
