"""Pictures in a folder or zip: in `train/<class>/` and `test/<class>/`, or all of them, for training, in `<class>/`.

Pictures that are all of one size keep it. Others are scaled so that the shorter side has 224 pixels, and the middle
224×224 are kept. They are grey only if every picture is. Where all of them together would take more than RESIDENT_BYTES
they are read from disk while training, see `worker.streaming`.
"""

import logging
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from numpy import ndarray
from torch import Tensor

from backend.image_layout import Layout, class_of, layout_of
from worker.data import Data, Dataset, DatasetUnavailable
from worker.pictures import Format, decoded, fitted, format_of, members, opened, pixels_of, shared_format
from worker.streaming import Pictures, StreamedData

log = logging.getLogger(__name__)

RESIDENT_BYTES = 4 * 2**30
SAMPLED_PICTURES = 64
LOGGED_PICTURES = 5000
TASK_PICTURES = 100


class OtherFormat(Exception):
    """A picture does not have the format that the ones before it share."""

    def __init__(self, wider: Format) -> None:
        super().__init__(wider)
        self.wider = wider


def load_image_folder(path: Path) -> Dataset:
    """Every picture of the folder or zip, with classes in the order of their names. Raises DatasetUnavailable."""
    layout = layout_of(members(path))
    classes = classes_of(path.name, layout)
    train, test = (labels_of(part, classes) for part in (layout.train, layout.test))
    shared = _sampled_format(path, layout.train + layout.test)
    bytes_decoded = (len(train) + len(test)) * math.prod(shared.shape)
    if bytes_decoded > RESIDENT_BYTES:
        log.info("%.1f GiB of pictures: they are read from disk while training", bytes_decoded / 2**30)
        pictures = Pictures(path, tuple(layout.train), tuple(layout.test), shared)
        return StreamedData.of(pictures, train, test, classes)
    pixels = torch.from_numpy(_decode_all(path, layout.train + layout.test, shared))
    return Data.of((pixels[: len(train)], train), (pixels[len(train) :], test), classes)


def classes_of(name: str, layout: Layout, train: str = "train", test: str = "test") -> list[str]:
    """The classes' names in order. Raises DatasetUnavailable where a part is empty or the two do not have the same."""
    for split, pictures in ((train, layout.train), (test, layout.test)):
        if not pictures and (layout.split or split == train):
            raise DatasetUnavailable(f"{name} has no picture in {split}/<class>/.")
    in_train, in_test = (set(map(class_of, pictures)) for pictures in (layout.train, layout.test))
    if layout.split and in_train != in_test:
        alone = ", ".join(sorted(in_train ^ in_test)[:5])
        raise DatasetUnavailable(f"{name} has classes that are in only one of {train}/ and {test}/: {alone}.")
    return sorted(in_train)


def labels_of(pictures: Sequence[str], classes: Sequence[str]) -> Int64[Tensor, " pictures"]:
    position = {name: label for label, name in enumerate(classes)}
    return torch.tensor([position[class_of(picture)] for picture in pictures], dtype=torch.int64)


def _sampled_format(path: Path, pictures: Sequence[str]) -> Format:
    """The format that pictures from all over the folder share."""
    every = max(len(pictures) // SAMPLED_PICTURES, 1)
    return reduce(shared_format, (format_of(opened(path, picture)) for picture in pictures[::every]))


def _decode_all(path: Path, pictures: Sequence[str], shared: Format) -> UInt8[ndarray, "images channels height width"]:
    """Decode in this format, and start again with a wider one where a picture does not have it."""
    while True:
        try:
            return _decode_as(path, pictures, shared)
        except OtherFormat as other:
            shared = other.wider


def _decode_as(path: Path, pictures: Sequence[str], shared: Format) -> UInt8[ndarray, "images channels height width"]:
    pixels = np.empty((len(pictures), *shared.shape), dtype=np.uint8)

    def fill(start: int) -> None:
        for row, picture in enumerate(pictures[start : start + TASK_PICTURES], start):
            pixels[row] = _decode(path, picture, shared)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(pictures), LOGGED_PICTURES):
            end = min(start + LOGGED_PICTURES, len(pictures))
            for _ in pool.map(fill, range(start, end, TASK_PICTURES)):
                pass
            log.info("read %d of %d pictures", end, len(pictures))
    return pixels


def _decode(path: Path, picture: str, shared: Format) -> UInt8[ndarray, "channels height width"]:
    image = opened(path, picture)
    wider = shared_format(shared, format_of(image))
    if wider != shared:
        raise OtherFormat(wider)
    image = decoded(image, shared.mode, picture)
    return pixels_of(image if shared.size else fitted(image))
