"""AlexNet (Krizhevsky et al. 2012), fitted to the size of the images."""

from collections import OrderedDict

import torch
from torch import nn

from backend.plugins import InputShape
from worker.nets.weights import initialise

SMALL_BELOW = 96
"""Inputs whose shorter side has fewer pixels get the small stem and layers."""
UNSTRIDED_UP_TO = 16


def build_alexnet(input_shape: InputShape, classes: int) -> nn.Module:
    """AlexNet with 7 ReLU layers, 5 convolutional and 2 fully connected.

    From 96 pixels (shorter side) up it is the original with torchvision's widths. Below, the first convolution is 3×3
    and its stride 2, or 1 up to 16 pixels, pools are 2×2 and the fully connected layers have 1,024 units.
    """
    channels, height, width = input_shape
    small = min(height, width) < SMALL_BELOW
    convolutions = _small_convolutions(input_shape) if small else _convolutions(channels)
    with torch.no_grad():
        inputs = nn.Sequential(OrderedDict(convolutions))(torch.zeros(1, *input_shape)).numel()
    units = 1024 if small else 4096
    net = nn.Sequential(
        OrderedDict[str, nn.Module](
            convolutions
            | {
                "drop6": nn.Dropout(0.5),
                "fc6": nn.Linear(inputs, units),
                "relu6": nn.ReLU(inplace=True),
                "drop7": nn.Dropout(0.5),
                "fc7": nn.Linear(units, units),
                "relu7": nn.ReLU(inplace=True),
                "fc8": nn.Linear(units, classes),
            }
        )
    )
    return initialise(net)


def _small_convolutions(input_shape: InputShape) -> dict[str, nn.Module]:
    channels, height, width = input_shape
    stride = 1 if min(height, width) <= UNSTRIDED_UP_TO else 2

    def pool() -> nn.Module:
        return nn.MaxPool2d(2, ceil_mode=True)  # with floor, one pixel would become none

    return {
        "conv1": nn.Conv2d(channels, 64, 3, stride=stride, padding=1),
        "relu1": nn.ReLU(inplace=True),
        "pool1": pool(),
        "conv2": nn.Conv2d(64, 192, 3, padding=1),
        "relu2": nn.ReLU(inplace=True),
        "pool2": pool(),
        **_last_convolutions(),
        "pool5": pool(),
        "flatten": nn.Flatten(),
    }


def _convolutions(channels: int) -> dict[str, nn.Module]:
    return {
        "conv1": nn.Conv2d(channels, 64, 11, stride=4, padding=2),
        "relu1": nn.ReLU(inplace=True),
        "pool1": nn.MaxPool2d(3, stride=2),
        "conv2": nn.Conv2d(64, 192, 5, padding=2),
        "relu2": nn.ReLU(inplace=True),
        "pool2": nn.MaxPool2d(3, stride=2),
        **_last_convolutions(),
        "pool5": nn.MaxPool2d(3, stride=2),
        "average": nn.AdaptiveAvgPool2d(6),
        "flatten": nn.Flatten(),
    }


def _last_convolutions() -> dict[str, nn.Module]:
    return {
        "conv3": nn.Conv2d(192, 384, 3, padding=1),
        "relu3": nn.ReLU(inplace=True),
        "conv4": nn.Conv2d(384, 256, 3, padding=1),
        "relu4": nn.ReLU(inplace=True),
        "conv5": nn.Conv2d(256, 256, 3, padding=1),
        "relu5": nn.ReLU(inplace=True),
    }
