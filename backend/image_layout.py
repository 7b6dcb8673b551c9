"""How pictures lie in a folder or zip: in `train/<class>/` and `test/<class>/`, or all of them in `<class>/`."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

IMAGE_ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"}


class Layout(NamedTuple):
    """The pictures' paths inside, sorted; without train/ and test/ all are for training, and `test` is empty."""

    train: list[str]
    test: list[str]
    split: bool


def layout_of(members: Iterable[str], train: str = "train", test: str = "test") -> Layout:
    """Which of the paths are pictures, and of which part; `train` and `test` are the names of the two folders."""
    parts = [(path.parts, member) for member in sorted(members) if _is_picture(path := PurePosixPath(member))]
    of = {split: [path for names, path in parts if len(names) == 3 and names[0] == split] for split in (train, test)}
    if of[train] or of[test]:
        return Layout(of[train], of[test], split=True)
    unsplit = [path for names, path in parts if len(names) == 2 and names[0] not in (train, test)]
    return Layout(unsplit, [], split=False)


def class_of(picture: str) -> str:
    return PurePosixPath(picture).parent.name


def _is_picture(path: PurePosixPath) -> bool:
    # Macintosh zips hold a second tree of files that bear the pictures' endings and are none.
    return path.suffix.lower() in IMAGE_ENDINGS and path.parts[0] != "__MACOSX"
