"""A net of fully connected layers."""

from collections import OrderedDict

from torch import nn

from backend.plugins import InputShape
from worker.nets.weights import initialise


def build_mlp(input_shape: InputShape, classes: int) -> nn.Module:
    """Three fully connected ReLU layers of 512 units."""
    channels, height, width = input_shape
    layers: dict[str, nn.Module] = {"flatten": nn.Flatten()}
    inputs = channels * height * width
    for k in (1, 2, 3):
        layers |= {f"fc{k}": nn.Linear(inputs, 512), f"relu{k}": nn.ReLU(inplace=True)}
        inputs = 512
    return initialise(nn.Sequential(OrderedDict(layers | {"fc4": nn.Linear(inputs, classes)})))
