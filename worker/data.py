"""The data that a net is trained and tested on, as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

CHUNK_IMAGES = 1024


class DatasetUnavailable(Exception):
    """The data cannot be had; the message says why in one sentence."""


@dataclass(frozen=True)
class Data:
    """All images as bytes on the CPU, with their classes; mean and std are of the training pixels in [0, 1]."""

    train_images: UInt8[Tensor, "train channels height width"]
    train_labels: Int64[Tensor, " train"]
    test_images: UInt8[Tensor, "test channels height width"]
    test_labels: Int64[Tensor, " test"]
    class_names: tuple[str, ...]
    mean: Float32[Tensor, " channels"]
    std: Float32[Tensor, " channels"]

    @classmethod
    def of(
        cls,
        train: tuple[UInt8[Tensor, "train channels height width"], Int64[Tensor, " train"]],
        test: tuple[UInt8[Tensor, "test channels height width"], Int64[Tensor, " test"]],
        class_names: Sequence[str],
    ) -> "Data":
        """The data with the mean and standard deviation of its training images."""
        return cls(*train, *test, tuple(class_names), *mean_and_std(train[0]))

    @property
    def input_shape(self) -> tuple[int, int, int]:
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width


def mean_and_std(
    images: UInt8[Tensor, "images channels height width"],
) -> tuple[Float32[Tensor, " channels"], Float32[Tensor, " channels"]]:
    """Of each channel's pixels in [0, 1]; a channel that is the same everywhere gets the standard deviation 1."""
    total, squares = torch.zeros(2, images.shape[1], dtype=torch.float64)
    for chunk in torch.split(images, CHUNK_IMAGES):
        pixels = chunk.double()
        total += pixels.sum((0, 2, 3))
        squares += pixels.square_().sum((0, 2, 3))
    count = images.numel() // images.shape[1]
    mean = total / count
    std = (squares / count - mean.square()).clamp(min=0).sqrt()
    return (mean / 255).float(), torch.where(std > 0, std / 255, 1).float()
