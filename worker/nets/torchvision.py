"""Any classification net of torchvision, sized to the data."""

from typing import Any

import torch
from torch import nn

from backend.plugins import InputShape
from worker.nets.modes import evaluating

OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}
"""Two nets have further outputs in training; the loop here trains on one."""


def build_torchvision(input_shape: InputShape, classes: int, name: str, *, fits: bool = True) -> nn.Module:
    """The net of torchvision with that many classes; for other than 3 channels the first convolution is a new one.

    Raises ValueError where the images are too small for it; without `fits` that is not tried.
    """
    from worker.vision import torchvision  # takes seconds to import, and few nets need it

    net: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=classes, **OPTIONS.get(name, {}))
    if input_shape[0] != 3:
        _take_channels(net, input_shape[0])
    if fits:
        _try(net, input_shape, name)
    return net


def _take_channels(net: nn.Module, channels: int) -> None:
    """Replace the first convolution by one like it that takes so many channels, with weights drawn as torch does."""
    path, first = next((path, module) for path, module in net.named_modules() if isinstance(module, nn.Conv2d))
    parent, _, attribute = path.rpartition(".")
    convolution = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        first.dilation,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    setattr(net.get_submodule(parent), attribute, convolution)


def _try(net: nn.Module, input_shape: InputShape, name: str) -> None:
    """One forward pass of a blank image."""
    channels, height, width = input_shape
    try:
        with evaluating(net):
            net(torch.zeros(1, *input_shape))
    except RuntimeError as error:
        raise ValueError(
            f"torchvision's {name} cannot take images of {channels}×{height}×{width} "
            f"(channels, height, width): {error}; choose a smaller net or larger images"
        ) from error
