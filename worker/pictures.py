"""Reads and decodes single pictures of a folder or zip."""

import io
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image, ImageOps

from backend import archives
from backend.catalogue import UNREADABLE
from worker.data import DatasetUnavailable

FITTED_PIXELS = 224
GREY_MODES = {"1", "L"}


class Format(NamedTuple):
    """What pictures are turned into: PIL mode (L or RGB), and their common size or None where it differs."""

    mode: str
    size: tuple[int, int] | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width of a picture in this format."""
        width, height = self.size or (FITTED_PIXELS, FITTED_PIXELS)
        return 1 if self.mode == "L" else 3, height, width


def format_of(image: Image.Image) -> Format:
    return Format("L" if image.mode in GREY_MODES else "RGB", image.size)


def shared_format(one: Format, other: Format) -> Format:
    """The narrowest format that both can be turned into."""
    return Format(
        one.mode if one.mode == other.mode else "RGB",
        one.size if one.size == other.size else None,
    )


def members(path: Path) -> list[str]:
    """The paths of all files in the folder (three deep at most) or zip. Raises DatasetUnavailable."""
    if path.is_dir():
        return [file.relative_to(path).as_posix() for depth in ("*/*", "*/*/*") for file in path.glob(depth)]
    return _archive(path, path.stat().st_mtime_ns).namelist()


def opened(path: Path, picture: str) -> Image.Image:
    """The picture, not yet decoded. Raises DatasetUnavailable."""
    try:
        content = (
            (path / picture).read_bytes()
            if path.is_dir()
            else archives.content(_archive(path, path.stat().st_mtime_ns), picture)
        )
        return Image.open(io.BytesIO(content))
    except (*UNREADABLE, zipfile.BadZipFile) as error:
        raise DatasetUnavailable(f"the picture {picture} cannot be read ({error}).") from error


def decoded(image: Image.Image, mode: str, picture: str) -> Image.Image:
    """The whole picture in this mode; `picture` is what an error names. Raises DatasetUnavailable."""
    try:
        image.load()
        return image if image.mode == mode else image.convert(mode)
    except UNREADABLE as error:
        raise DatasetUnavailable(f"the picture {picture} cannot be decoded ({error}).") from error


def fitted(image: Image.Image) -> Image.Image:
    """Scaled so that the shorter side has 224 pixels, and the middle of that."""
    return ImageOps.fit(image, (FITTED_PIXELS, FITTED_PIXELS), Image.Resampling.BILINEAR)


def pixels_of(image: Image.Image) -> UInt8[ndarray, "channels height width"]:
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


@lru_cache(maxsize=4)
def _archive(path: Path, _changed: int) -> zipfile.ZipFile:
    """The zip, opened once in each process."""
    try:
        return archives.opened(path)
    except (archives.UnsafeArchive, zipfile.BadZipFile) as error:
        raise DatasetUnavailable(f"{path.name} is not a readable zip ({error}).") from error
