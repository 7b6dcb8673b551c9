"""VGG-19 (Simonyan & Zisserman 2015) of torchvision, with smaller last layers for small images."""

from typing import cast

from torch import nn

from backend.plugins import InputShape
from worker.nets.alexnet import SMALL_BELOW
from worker.nets.torchvision import build_torchvision
from worker.nets.weights import initialise

SMALL_UNITS = 512


def build_vgg19(input_shape: InputShape, classes: int, name: str = "vgg19") -> nn.Module:
    """VGG-19 with 18 ReLU layers, 16 convolutional and 2 fully connected; `name` is vgg19 or vgg19_bn.

    From 96 pixels (shorter side) up it is torchvision's. Below, what the fifth pool leaves is averaged to one position,
    and the fully connected layers have 512 units. Pools round up, so that it takes images of any size.
    """
    _, height, width = input_shape
    if min(height, width) >= SMALL_BELOW:
        return initialise(build_torchvision(input_shape, classes, name))
    net = build_torchvision(input_shape, classes, name, fits=False)
    for module in net.modules():
        if isinstance(module, nn.MaxPool2d):
            module.ceil_mode = True  # with floor, one pixel would become none
    net.avgpool = nn.AdaptiveAvgPool2d(1)
    classifier = cast(nn.Sequential, net.classifier)
    classifier[0] = nn.Linear(512, SMALL_UNITS)
    classifier[3] = nn.Linear(SMALL_UNITS, SMALL_UNITS)
    classifier[6] = nn.Linear(SMALL_UNITS, classes)
    return initialise(net, input_shape)
