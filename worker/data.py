"""The data that a net is trained and tested on, and how the training loop takes it from there.

A `Dataset` says what it holds; its `feed` gives the images as bytes on a device, batch by batch. `Data` holds all of
them as tensors; `worker.streaming` reads them from disk while training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from worker.augmentation import CROP_PADDING, flip_and_crop
from worker.share import ALONE, Share

CHUNK_IMAGES = 1024

Split = Literal["train", "test"]
Batch = tuple[UInt8[Tensor, "batch channels height width"], Int64[Tensor, " batch"]]


class DatasetUnavailable(Exception):
    """The data cannot be had; the message says why in one sentence."""


class Epoch(NamedTuple):
    """One pass over the training images: order and augmentation are drawn from (seed, epoch) alone.

    `sizes` are those of its batches, of which the first `done` have been trained on; `share` is what of each batch this
    process has.
    """

    seed: int
    epoch: int
    sizes: Sequence[int]
    done: int
    augmentation: Literal["none", "flip_crop"]
    share: Share = ALONE

    def generator(self) -> torch.Generator:
        draws = np.random.SeedSequence([self.seed, self.epoch]).generate_state(1, np.uint64)
        return torch.Generator().manual_seed(int(draws[0]) >> 1)

    def parts(self, order: Int64[Tensor, " train"]) -> Sequence[Int64[Tensor, " batch"]]:
        """The share of the batches that are left, batch by batch."""
        return [self.share.of(batch) for batch in torch.split(order, list(self.sizes))[self.done :]]


@runtime_checkable
class Feed(Protocol):
    """Images as bytes, with their labels, on one device."""

    def batches(self, epoch: Epoch) -> Iterator[Batch]:
        """The training images of one epoch, from the batch on that comes next."""

    def clean_batches(self, split: Split, size: int, share: Share = ALONE) -> Iterator[Batch]:
        """A share of the split's images in their order, not augmented; all of them where none is given."""

    def images(self, indices: Int64[Tensor, " images"]) -> UInt8[Tensor, "images channels height width"]:
        """Training images at these positions, not augmented."""


@runtime_checkable
class Dataset(Protocol):
    """What is known of the data before an image is read; mean and std are of the training pixels in [0, 1]."""

    @property
    def train_labels(self) -> Int64[Tensor, " train"]: ...
    @property
    def test_labels(self) -> Int64[Tensor, " test"]: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...
    @property
    def mean(self) -> Float32[Tensor, " channels"]: ...
    @property
    def std(self) -> Float32[Tensor, " channels"]: ...
    @property
    def input_shape(self) -> tuple[int, int, int]: ...

    def feed(self, device: torch.device) -> Feed: ...


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

    def feed(self, device: torch.device) -> "ResidentFeed":
        return ResidentFeed(self, device)


class ResidentFeed:
    """All images lie on the device, and are augmented there."""

    def __init__(self, data: Data, device: torch.device) -> None:
        self.device = device
        self._images = {"train": data.train_images.to(device), "test": data.test_images.to(device)}
        self._labels = {"train": data.train_labels.to(device), "test": data.test_labels.to(device)}

    def batches(self, epoch: Epoch) -> Iterator[Batch]:
        images, labels = self._images["train"], self._labels["train"]
        generator = epoch.generator()
        order = torch.randperm(len(images), generator=generator).to(self.device)
        flip = torch.rand(len(images), generator=generator).to(self.device) < 0.5
        move = torch.randint(-CROP_PADDING, CROP_PADDING + 1, (2, len(images)), generator=generator).to(self.device)
        for batch in epoch.parts(order):
            if epoch.augmentation == "flip_crop":
                yield flip_and_crop(images, batch, flip[batch], move[:, batch]), labels[batch]
            else:
                yield images[batch], labels[batch]

    def clean_batches(self, split: Split, size: int, share: Share = ALONE) -> Iterator[Batch]:
        images, labels = (torch.split(share.of(all_of[split]), size) for all_of in (self._images, self._labels))
        return zip(images, labels, strict=True)

    def images(self, indices: Int64[Tensor, " images"]) -> UInt8[Tensor, "images channels height width"]:
        return self._images["train"][indices.to(self.device)]


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
