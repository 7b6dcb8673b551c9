"""Pictures in a folder or zip, `train/<class>/<picture>` and `test/<class>/<picture>`, as one tensor of bytes.

Pictures that are all of one size keep it. Others are scaled so that the shorter side has 224 pixels, and the middle
224×224 are kept. They are grey only if every picture is.
"""

import io
import logging
import os
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image, ImageOps

from backend.catalogue import IMAGE_ENDINGS
from worker.data import Data, DatasetUnavailable

log = logging.getLogger(__name__)

FITTED_PIXELS = 224
LOGGED_PICTURES = 5000
TASK_PICTURES = 100
GREY_MODES = {"1", "L"}

Read = Callable[[str], bytes]


class Format(NamedTuple):
    """What all pictures are turned into: PIL mode (L or RGB), and their common size or None where it differs."""

    mode: str
    size: tuple[int, int] | None


class OtherFormat(Exception):
    """A picture does not have the format that the ones before it share."""

    def __init__(self, wider: Format) -> None:
        super().__init__(wider)
        self.wider = wider


def load_image_folder(path: Path) -> Data:
    """Every picture of the folder or zip, with classes in the order of their names. Raises DatasetUnavailable."""
    if path.is_dir():
        files = [str(file.relative_to(path).as_posix()) for file in path.glob("*/*/*")]
        return _load(path.name, files, lambda member: (path / member).read_bytes())
    try:
        with zipfile.ZipFile(path) as archive:
            return _load(path.name, archive.namelist(), archive.read)
    except zipfile.BadZipFile as error:
        raise DatasetUnavailable(f"{path.name} is not a readable zip ({error}).") from error


def _load(name: str, members: Sequence[str], read: Read) -> Data:
    pictures = sorted(
        member
        for member in members
        if len(PurePosixPath(member).parts) == 3 and PurePosixPath(member).suffix.lower() in IMAGE_ENDINGS
    )
    train, test = ([picture for picture in pictures if picture.startswith(f"{split}/")] for split in ("train", "test"))
    classes = _classes(name, train, test)
    pixels = _decode_all(train + test, read)
    labels = torch.tensor([classes.index(PurePosixPath(picture).parts[1]) for picture in train + test])
    images = torch.from_numpy(pixels)
    cut = len(train)
    return Data.of((images[:cut], labels[:cut]), (images[cut:], labels[cut:]), classes)


def _classes(name: str, train: Sequence[str], test: Sequence[str]) -> list[str]:
    for split, pictures in (("train", train), ("test", test)):
        if not pictures:
            raise DatasetUnavailable(f"{name} has no picture in {split}/<class>/.")
    in_train, in_test = ({PurePosixPath(picture).parts[1] for picture in pictures} for pictures in (train, test))
    if in_train != in_test:
        alone = ", ".join(sorted(in_train ^ in_test)[:5])
        raise DatasetUnavailable(f"{name} has classes that are in only one of train/ and test/: {alone}.")
    return sorted(in_train)


def _decode_all(pictures: Sequence[str], read: Read) -> UInt8[ndarray, "images channels height width"]:
    """Decode in the format of the first picture, and start again with a wider one where another does not have it."""
    shared = _format(_open(pictures[0], read))
    while True:
        try:
            return _decode_as(shared, pictures, read)
        except OtherFormat as other:
            shared = other.wider


def _decode_as(shared: Format, pictures: Sequence[str], read: Read) -> UInt8[ndarray, "images channels height width"]:
    width, height = shared.size or (FITTED_PIXELS, FITTED_PIXELS)
    pixels = np.empty((len(pictures), 1 if shared.mode == "L" else 3, height, width), dtype=np.uint8)

    def fill(start: int) -> None:
        for row, picture in enumerate(pictures[start : start + TASK_PICTURES], start):
            pixels[row] = _decode(shared, picture, read)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(pictures), LOGGED_PICTURES):
            end = min(start + LOGGED_PICTURES, len(pictures))
            for _ in pool.map(fill, range(start, end, TASK_PICTURES)):
                pass
            log.info("read %d of %d pictures", end, len(pictures))
    return pixels


def _decode(shared: Format, picture: str, read: Read) -> UInt8[ndarray, "channels height width"]:
    image = _open(picture, read)
    own = _format(image)
    mode = shared.mode if shared.mode == own.mode else "RGB"
    size = shared.size if shared.size == own.size else None
    if Format(mode, size) != shared:
        raise OtherFormat(Format(mode, size))
    try:
        image.load()
        image = image if image.mode == shared.mode else image.convert(shared.mode)
    except (OSError, SyntaxError, ValueError) as error:
        raise DatasetUnavailable(f"the picture {picture} cannot be decoded ({error}).") from error
    if shared.size is None:
        image = ImageOps.fit(image, (FITTED_PIXELS, FITTED_PIXELS), Image.Resampling.BILINEAR)
    pixels = np.asarray(image)
    return pixels[None] if shared.mode == "L" else pixels.transpose(2, 0, 1)


def _open(picture: str, read: Read) -> Image.Image:
    try:
        return Image.open(io.BytesIO(read(picture)))
    except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError) as error:
        raise DatasetUnavailable(f"the picture {picture} cannot be read ({error}).") from error


def _format(image: Image.Image) -> Format:
    return Format("L" if image.mode in GREY_MODES else "RGB", image.size)
