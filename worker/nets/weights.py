"""How weights are drawn."""

import math

from torch import nn


def initialise(net: nn.Module) -> nn.Module:
    """Draw the weights of every convolution and linear layer for ReLUs (He et al. 2015, fan in); biases are 0.

    A layer that comes right after dropout is drawn smaller by as much as dropout enlarges what it leaves. The last
    layer, behind which stands no ReLU, has a gain of 1: the first loss is then near that of guessing.
    """
    layers: list[nn.Conv2d | nn.Linear] = []
    kept = 1.0
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            kept = 1 - module.p
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
            module.weight.data.mul_(math.sqrt(kept))
            kept = 1.0
            layers.append(module)
    if layers:
        layers[-1].weight.data.mul_(1 / math.sqrt(2))
    return net
