"""How weights are drawn."""

from torch import nn


def initialise(net: nn.Module) -> nn.Module:
    """Draw the weights of every convolution and linear layer for ReLUs (He et al. 2015, fan in); biases are 0."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return net
