"""How many ReLU layers, units and weights the nets that Pathscope brings have, worked out without torch.

Each function mirrors a net in `worker.nets`; tests compare them with what the recorder captures and with the nets.
"""

from math import ceil, isqrt, prod
from typing import TypedDict

from backend.plugins import InputShape, NetSize

VGG19_CONVOLUTIONS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels and convolutions of each stage; a pool follows."""
RESNET18_CHANNELS = (64, 128, 256, 512)


class TorchvisionNet(TypedDict):
    """An entry of torchvision_nets.json; `units` by the side of a square image, `weights` of images with 3 channels."""

    layers: int
    batch_norm: bool
    least_pixels: int
    units: dict[str, int]
    weights: int
    weights_per_class: int


_NORM = 2
"""Weights of a batch norm for each channel."""


def mlp(_input_shape: InputShape) -> NetSize:
    return NetSize(3, 3 * 512)


def mlp_weights(input_shape: InputShape, classes: int) -> int:
    return sum(map(_dense, (prod(input_shape), 512, 512, 512), (512, 512, 512, classes)))


def alexnet(input_shape: InputShape) -> NetSize:
    shorter, sides = min(input_shape[1:]), input_shape[1:]
    if shorter < 96:
        first = sides if shorter <= 16 else _halved(sides)
        second = _halved(first)
        third = _halved(second)
        last = 2 * 1024
    else:
        first = _each(sides, kernel=11, stride=4, padding=2)
        second = _each(first, kernel=3, stride=2)
        third = _each(second, kernel=3, stride=2)
        last = 2 * 4096
    convolutional = 64 * _area(first) + 192 * _area(second) + (384 + 256 + 256) * _area(third)
    return NetSize(7, convolutional + last)


def alexnet_weights(input_shape: InputShape, classes: int) -> int:
    channels, *sides = input_shape
    shorter = min(sides)
    if shorter < 96:
        halvings = 3 if shorter <= 16 else 4
        inputs, units, kernels = 256 * prod(ceil(side / 2**halvings) for side in sides), 1024, (3, 3)
    else:
        inputs, units, kernels = 256 * 6 * 6, 4096, (11, 5)
    convolutions = (
        _convolution(channels, 64, kernels[0])
        + _convolution(64, 192, kernels[1])
        + sum(map(_convolution, (192, 384, 256), (384, 256, 256)))
    )
    return convolutions + _dense(inputs, units) + _dense(units, units) + _dense(units, classes)


def resnet18(input_shape: InputShape) -> NetSize:
    sides = input_shape[1:]
    if min(sides) <= 64:
        units = 64 * _area(sides)
    else:
        sides = _halved(sides)
        units = 64 * _area(sides)
        sides = _halved(sides)
    for stage, channels in enumerate(RESNET18_CHANNELS):
        sides = _halved(sides) if stage else sides
        units += 4 * channels * _area(sides)
    return NetSize(17, units)


def resnet18_weights(input_shape: InputShape, classes: int) -> int:
    stem = 3 if min(input_shape[1:]) <= 64 else 7
    weights = (input_shape[0] * stem**2 + _NORM) * 64
    inputs = 64
    for channels in RESNET18_CHANNELS:
        weights += (9 * inputs + 3 * 9 * channels + 4 * _NORM) * channels
        if inputs != channels:
            weights += (inputs + _NORM) * channels  # the shortcut
        inputs = channels
    return weights + _dense(inputs, classes)


def vgg19(input_shape: InputShape) -> NetSize:
    sides = input_shape[1:]
    small = min(sides) < 96
    units = 2 * (512 if small else 4096)
    for channels, convolutions in VGG19_CONVOLUTIONS:
        units += convolutions * channels * _area(sides)
        sides = _halved(sides) if small else _each(sides, kernel=2, stride=2)
    return NetSize(18, units)


def vgg19_weights(input_shape: InputShape, classes: int, *, batch_norm: bool = False) -> int:
    weights, inputs = 0, input_shape[0]
    for channels, convolutions in VGG19_CONVOLUTIONS:
        weights += _convolution(inputs, channels) + (convolutions - 1) * _convolution(channels, channels)
        weights += convolutions * channels * _NORM if batch_norm else 0
        inputs = channels
    positions, units = (1, 512) if min(input_shape[1:]) < 96 else (7 * 7, 4096)
    return weights + _dense(positions * inputs, units) + _dense(units, units) + _dense(units, classes)


def torchvision_net(net: TorchvisionNet, input_shape: InputShape) -> NetSize:
    """From the listed size that is nearest in area, scaled by the area; exact at a listed size."""
    area = _area(input_shape[1:])
    nearest = min(map(int, net["units"]), key=lambda side: abs(side - isqrt(area)))
    return NetSize(net["layers"], round(net["units"][str(nearest)] * area / nearest**2))


def torchvision_weights(net: TorchvisionNet, _input_shape: InputShape, classes: int) -> int:
    """Exact for images of 3 channels."""
    return net["weights"] + net["weights_per_class"] * classes


def _dense(inputs: int, outputs: int) -> int:
    return (inputs + 1) * outputs


def _convolution(inputs: int, outputs: int, kernel: int = 3) -> int:
    return (inputs * kernel**2 + 1) * outputs


def _each(sides: tuple[int, int], *, kernel: int, stride: int, padding: int = 0) -> tuple[int, int]:
    height, width = sides
    return (height + 2 * padding - kernel) // stride + 1, (width + 2 * padding - kernel) // stride + 1


def _halved(sides: tuple[int, int]) -> tuple[int, int]:
    """By a convolution or pool of stride 2 that rounds up."""
    return ceil(sides[0] / 2), ceil(sides[1] / 2)


def _area(sides: tuple[int, int]) -> int:
    return sides[0] * sides[1]
