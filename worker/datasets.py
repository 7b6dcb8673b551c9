"""The datasets that Pathscope brings, and how a dataset is found by name."""

import pkgutil
from pathlib import Path
from typing import cast

import numpy as np
import torch
from sklearn.datasets import load_digits as sklearn_digits
from sklearn.model_selection import train_test_split

from backend.catalogue import IMAGE_FOLDER, image_folder
from backend.plugins import dataset_entries
from worker.data import Data, DatasetUnavailable
from worker.image_folder import load_image_folder

__all__ = ["Data", "DatasetUnavailable", "load_cifar10", "load_data", "load_digits"]

DIGITS_TEST_IMAGES = 360


def load_data(name: str, folder: Path) -> Data:
    """The dataset of that name; what it downloads is kept in `folder`. Raises DatasetUnavailable."""
    if name.startswith(IMAGE_FOLDER):
        path = image_folder(name)
        if path is None:
            folder_name = name.removeprefix(IMAGE_FOLDER)
            raise DatasetUnavailable(f"the data folder of this machine holds no usable {folder_name!r}.")
        return load_image_folder(path)
    entry = dataset_entries().get(name)
    if entry is None:
        raise DatasetUnavailable(f"no dataset is named {name!r}; installed are {', '.join(sorted(dataset_entries()))}.")
    return cast(Data, pkgutil.resolve_name(entry.load)(folder))


def load_digits(folder: Path) -> Data:  # noqa: ARG001
    """scikit-learn's handwritten digits, 8×8 grey, always split alike: 1,437 to train, 360 to test, stratified."""
    images, labels = sklearn_digits(return_X_y=True)
    pixels = np.rint(images * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    parts = train_test_split(pixels, labels, test_size=DIGITS_TEST_IMAGES, random_state=0, stratify=labels)
    train_images, test_images, train_labels, test_labels = (torch.from_numpy(part) for part in parts)
    return Data.of((train_images, train_labels.long()), (test_images, test_labels.long()), [str(n) for n in range(10)])


def load_cifar10(folder: Path) -> Data:
    """CIFAR-10, 32×32 in colour; downloaded once. Raises DatasetUnavailable where that fails."""
    from worker.vision import torchvision  # takes seconds to import, and nothing else needs it

    try:
        train, test = (
            torchvision.datasets.CIFAR10(folder / "cifar10", train=train, download=True) for train in (True, False)
        )
    except (OSError, RuntimeError) as error:
        raise DatasetUnavailable(
            f"CIFAR-10 could not be downloaded ({error}); put it into {folder / 'cifar10'}, or use an image folder."
        ) from error

    parts = [
        (torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets))
        for part in (train, test)
    ]
    return Data.of(parts[0], parts[1], train.classes)
