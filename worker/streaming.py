"""Pictures that are too many for memory: processes read, crop and flip them from disk while training goes on.

Pictures that are all of one size of at most 224 pixels keep it. Of others, the clean image is the middle 224×224 after
the shorter side was scaled to 256; augmented, it is a random part (`augmentation.random_box`) scaled to 224×224 and
mirrored by chance. What an image looks like depends on (seed, epoch, image) alone, not on the process that reads it.
"""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as Indexed

from worker.augmentation import random_box
from worker.data import Batch, DatasetUnavailable, Epoch, Split, mean_and_std
from worker.pictures import FITTED_PIXELS, Format, decoded, opened, pixels_of
from worker.share import ALONE, Share

SCALED_PIXELS = 256
SAMPLED_IMAGES = 2000
"""So many training images, spread evenly, give the mean and standard deviation."""
MOST_PROCESSES = 8


class Wanted(NamedTuple):
    """A picture by split and position; varied by what the draws (seed, epoch) give, clean without them."""

    split: Split
    position: int
    draws: tuple[int, int] | None = None


@dataclass(frozen=True)
class Pictures:
    """Where the pictures lie, and what they are turned into; it travels to the processes that read them."""

    path: Path
    train: tuple[str, ...]
    test: tuple[str, ...]
    format: Format

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return self._fitted_format().shape

    def read(self, wanted: Wanted) -> UInt8[Tensor, "channels height width"]:
        """Raises DatasetUnavailable."""
        picture = (self.train if wanted.split == "train" else self.test)[wanted.position]
        image = decoded(opened(self.path, picture), self.format.mode, picture)
        image = self._clean(image) if wanted.draws is None else self._varied(image, (*wanted.draws, wanted.position))
        return torch.from_numpy(pixels_of(image).copy())

    def _fitted_format(self) -> Format:
        small = self.format.size is not None and max(self.format.size) <= FITTED_PIXELS
        return self.format if small else self.format._replace(size=None)

    def _clean(self, image: Image.Image) -> Image.Image:
        if image.size == self._fitted_format().size:
            return image
        _, height, width = self.input_shape
        enlarged = SCALED_PIXELS / FITTED_PIXELS
        scaled = ImageOps.fit(image, (round(width * enlarged), round(height * enlarged)), Image.Resampling.BILINEAR)
        left, upper = (scaled.width - width) // 2, (scaled.height - height) // 2
        return scaled.crop((left, upper, left + width, upper + height))

    def _varied(self, image: Image.Image, entropy: tuple[int, ...]) -> Image.Image:
        _, height, width = self.input_shape
        draws = np.random.default_rng(entropy)
        box = random_box(*image.size, draws)
        part = image.resize((width, height), Image.Resampling.BILINEAR, box=box)
        return ImageOps.mirror(part) if draws.random() < 0.5 else part


@dataclass(frozen=True)
class StreamedData:
    """Pictures on disk with their classes; mean and std are of the training pixels in [0, 1]."""

    pictures: Pictures
    train_labels: Int64[Tensor, " train"]
    test_labels: Int64[Tensor, " test"]
    class_names: tuple[str, ...]
    mean: Float32[Tensor, " channels"]
    std: Float32[Tensor, " channels"]

    @classmethod
    def of(
        cls,
        pictures: Pictures,
        train_labels: Int64[Tensor, " train"],
        test_labels: Int64[Tensor, " test"],
        class_names: Sequence[str],
    ) -> "StreamedData":
        """The data with the mean and standard deviation of some of its training images."""
        every = max(len(train_labels) // SAMPLED_IMAGES, 1)
        sample = list(_Processes(pictures).load([[Wanted("train", n)] for n in range(0, len(train_labels), every)]))
        return cls(pictures, train_labels, test_labels, tuple(class_names), *mean_and_std(torch.cat(sample)))

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return self.pictures.input_shape

    def feed(self, device: torch.device) -> "StreamedFeed":
        return StreamedFeed(self, device)


class StreamedFeed:
    """Batches that processes read ahead, one pool for training and one for everything else."""

    def __init__(self, data: StreamedData, device: torch.device) -> None:
        self.device = device
        self._labels = {"train": data.train_labels, "test": data.test_labels}
        self._input_shape = data.input_shape
        self._training, self._others = (_Processes(data.pictures, pinned=device.type == "cuda") for _ in range(2))
        self._kept: tuple[Tensor, Tensor] | None = None

    def batches(self, epoch: Epoch) -> Iterator[Batch]:
        order = torch.randperm(len(self._labels["train"]), generator=epoch.generator())
        parts = epoch.parts(order)
        draws = None if epoch.augmentation == "none" else (epoch.seed, epoch.epoch)
        return self._batches(self._training, "train", parts, draws)

    def clean_batches(self, split: Split, size: int, share: Share = ALONE) -> Iterator[Batch]:
        parts = torch.split(share.of(torch.arange(len(self._labels[split]))), size)
        return self._batches(self._others, split, parts, None)

    def images(self, indices: Int64[Tensor, " images"]) -> UInt8[Tensor, "images channels height width"]:
        """Those that were asked for last are kept, as the probe images are asked for again and again."""
        if self._kept is None or not torch.equal(self._kept[0], indices):
            parts = [[Wanted("train", index)] for index in indices.tolist()]
            self._kept = indices, torch.cat(list(self._others.load(parts))).to(self.device)
        return self._kept[1]

    def _batches(
        self, processes: "_Processes", split: Split, parts: Sequence[Tensor], draws: tuple[int, int] | None
    ) -> Iterator[Batch]:
        wanted = [[Wanted(split, index, draws) for index in part.tolist()] for part in parts if len(part)]
        loaded = processes.load(wanted)
        for part in parts:
            images = next(loaded) if len(part) else torch.empty(0, *self._input_shape, dtype=torch.uint8)
            labels = self._labels[split][part]
            yield images.to(self.device, non_blocking=True), labels.to(self.device, non_blocking=True)


class _Reading(Indexed[UInt8[Tensor, "channels height width"] | str]):
    """Runs in each process: the image, or what is wrong with it."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures

    def __getitem__(self, wanted: Wanted) -> UInt8[Tensor, "channels height width"] | str:
        try:
            return self.pictures.read(wanted)
        except DatasetUnavailable as error:
            return str(error)


class _Processes:
    """Processes that read what is wanted, batch by batch in that order; they start with the first batch and stay."""

    def __init__(self, pictures: Pictures, *, pinned: bool = False) -> None:
        self._wanted: list[list[Wanted]] = []
        # Not forked from this process, which has threads, but from one that has imported this module and nothing else.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["worker.streaming"])
        self._loader: DataLoader[UInt8[Tensor, "batch channels height width"] | str] = DataLoader(
            _Reading(pictures),
            batch_sampler=self._wanted,
            num_workers=min(os.cpu_count() or 1, MOST_PROCESSES),
            collate_fn=_stacked,
            multiprocessing_context=context,
            persistent_workers=True,
            pin_memory=pinned,
            generator=torch.Generator(),  # the global one is dropout's
        )

    def load(self, wanted: list[list[Wanted]]) -> Iterator[UInt8[Tensor, "batch channels height width"]]:
        """Raises DatasetUnavailable."""
        self._wanted[:] = wanted
        for images in self._loader:
            if isinstance(images, str):
                raise DatasetUnavailable(images)
            yield images


def _stacked(images: list[UInt8[Tensor, "channels height width"] | str]) -> Tensor | str:
    broken = [image for image in images if isinstance(image, str)]
    return broken[0] if broken else torch.stack([image for image in images if isinstance(image, Tensor)])
