"""How weights are drawn."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from backend.plugins import InputShape
from worker.nets.modes import evaluating


def initialise(net: nn.Module, input_shape: InputShape | None = None) -> nn.Module:
    """Draw the weights of every convolution and linear layer for ReLUs (He et al. 2015, fan in); biases are 0.

    A layer that comes right after dropout is drawn smaller by as much as dropout enlarges what it leaves. The last
    layer, behind which stands no ReLU, has a gain of 1: the first loss is then near that of guessing.

    For images of a given shape, the zeros beyond their edges are not counted as inputs: a 3×3 kernel on one pixel has a
    ninth of its fan in, and after eight such layers almost nothing would be left of an image.
    """
    parts = _parts_inside(net, input_shape) if input_shape else {}
    layers: list[nn.Conv2d | nn.Linear] = []
    kept = 1.0
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            kept = 1 - module.p
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
            module.weight.data.mul_(math.sqrt(kept / parts.get(module, 1)))
            kept = 1.0
            layers.append(module)
    if layers:
        layers[-1].weight.data.mul_(1 / math.sqrt(2))
    return net


def _parts_inside(net: nn.Module, input_shape: InputShape) -> dict[nn.Module, float]:
    """Of each convolution that pads, the part of its kernel that lies on the image, on average over its positions."""
    parts: dict[nn.Module, float] = {}

    def note(module: nn.Conv2d, args: tuple[Tensor, ...], _: Tensor) -> None:
        image, kernel = torch.ones(1, 1, *args[0].shape[2:]), torch.ones(1, 1, *module.kernel_size)
        inside = F.conv2d(image, kernel, None, module.stride, module.padding, module.dilation)
        parts[module] = inside.mean().item() / kernel.numel()

    handles = [module.register_forward_hook(note) for module in net.modules() if isinstance(module, nn.Conv2d)]
    with evaluating(net):
        net(torch.zeros(1, *input_shape))
    for handle in handles:
        handle.remove()
    return parts
