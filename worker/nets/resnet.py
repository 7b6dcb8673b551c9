"""ResNet-18 (He et al. 2016) of torchvision, with a stem for small images."""

from torch import nn

from backend.plugins import InputShape
from worker.nets.torchvision import build_torchvision

UNPOOLED_UP_TO = 64
"""Inputs whose shorter side has at most so many pixels get a 3×3 stem without pooling."""


def build_resnet18(input_shape: InputShape, classes: int) -> nn.Module:
    """ResNet-18 with 17 ReLU layers: the stem's, then two of each of 8 blocks (after its first sum and its last).

    Above 64 pixels (shorter side) it is torchvision's; up to there the stem is one 3×3 convolution, no pool.
    """
    channels, height, width = input_shape
    net = build_torchvision(input_shape, classes, "resnet18")
    if min(height, width) <= UNPOOLED_UP_TO:
        net.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
        net.maxpool = nn.Identity()
    return net
