"""The datasets that Pathscope brings, and how a dataset is found by name."""

import pkgutil
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import numpy as np
import torch
from sklearn.datasets import load_digits as sklearn_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from backend.catalogue import IMAGE_FOLDER, image_folder
from backend.image_layout import layout_of
from backend.plugins import dataset_entries
from worker.data import Data, Dataset, DatasetUnavailable
from worker.image_folder import classes_of, labels_of, load_image_folder
from worker.pictures import Format, members
from worker.streaming import Pictures, StreamedData

__all__ = ["Data", "DatasetUnavailable", "load_data"]

DIGITS_TEST_IMAGES = 360
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def load_data(name: str, folder: Path) -> Dataset:
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
    return cast(Dataset, pkgutil.resolve_name(entry.load)(folder))


def load_digits(folder: Path) -> Data:  # noqa: ARG001
    """scikit-learn's handwritten digits, 8×8 grey, always split alike: 1,437 to train, 360 to test, stratified."""
    images, labels = sklearn_digits(return_X_y=True)
    pixels = np.rint(images * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    parts = train_test_split(pixels, labels, test_size=DIGITS_TEST_IMAGES, random_state=0, stratify=labels)
    train_images, test_images, train_labels, test_labels = (torch.from_numpy(part) for part in parts)
    return Data.of((train_images, train_labels.long()), (test_images, test_labels.long()), [str(n) for n in range(10)])


def load_cifar10(folder: Path) -> Data:
    """CIFAR-10, 32×32 in colour; downloaded once. Raises DatasetUnavailable where that fails."""
    train, test = _downloaded("CIFAR10", "CIFAR-10", folder / "cifar10")
    return Data.of(_coloured(train), _coloured(test), train.classes)


def load_cifar100(folder: Path) -> Data:
    """CIFAR-100, 32×32 in colour, with its 100 fine classes; downloaded once. Raises DatasetUnavailable."""
    train, test = _downloaded("CIFAR100", "CIFAR-100", folder / "cifar100")
    return Data.of(_coloured(train), _coloured(test), train.classes)


def load_fashion_mnist(folder: Path) -> Data:
    """Fashion-MNIST, 28×28 grey; downloaded once. Raises DatasetUnavailable."""
    train, test = _downloaded("FashionMNIST", "Fashion-MNIST", folder / "fashion_mnist")
    parts = [(part.data[:, None].contiguous(), part.targets.long()) for part in (train, test)]
    return Data.of(parts[0], parts[1], train.classes)


def load_imagenet(folder: Path) -> StreamedData:
    """ImageNet as torchvision lays it out: imagenet/{train,val}/<synset>/<picture>, and meta.bin for the names.

    Raises DatasetUnavailable.
    """
    path = folder / "imagenet"
    layout = layout_of(members(path), test="val")
    synsets = classes_of("imagenet", layout, test="val")
    names = _imagenet_names(path / "meta.bin")
    return StreamedData(
        pictures=Pictures(path, tuple(layout.train), tuple(layout.test), Format("RGB", None)),
        train_labels=labels_of(layout.train, synsets),
        test_labels=labels_of(layout.test, synsets),
        class_names=tuple(names.get(synset, synset) for synset in synsets),
        mean=torch.tensor(IMAGENET_MEAN),
        std=torch.tensor(IMAGENET_STD),
    )


def _imagenet_names(meta: Path) -> dict[str, str]:
    """The first word of each synset, from the file that torchvision writes; empty without it."""
    if not meta.exists():
        return {}
    try:
        words, _ = torch.load(meta, weights_only=True)
    except (OSError, EOFError, LookupError, RuntimeError, ValueError, UnpicklingError) as error:
        raise DatasetUnavailable(f"{meta} cannot be read ({error}); without it classes bear their synsets.") from error
    return {synset: synonyms[0] for synset, synonyms in words.items()}


def _downloaded(kind: str, title: str, folder: Path) -> tuple[Any, Any]:
    """The two parts of a dataset of torchvision."""
    from worker.vision import torchvision  # takes seconds to import, and the other datasets do not need it

    try:
        train, test = (getattr(torchvision.datasets, kind)(folder, train=part, download=True) for part in (True, False))
    except (OSError, RuntimeError) as error:
        said = " ".join(str(error).split())
        raise DatasetUnavailable(
            f"{title} could not be downloaded ({said}); put it into {folder}, or use an image folder."
        ) from error
    return train, test


def _coloured(part: Any) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets)
