"""Runs that the form offers ready made."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from backend.catalogue import DatasetOut


class Preset(NamedTuple):
    """A ready-made request; None where no dataset that fits is offered."""

    key: str
    label: str
    help: str
    request: dict[str, Any] | None


def presets(datasets: list[DatasetOut]) -> tuple[Preset, ...]:
    """Every preset. For CIFAR-10 a folder of the operator goes before the dataset that has to be downloaded."""
    cifar = cifar10(datasets)
    return (
        Preset("demo", "Demo", "AlexNet on digits, 20 epochs", {"net": "alexnet", "dataset": "digits"}),
        Preset("quick", "Quick look", "MLP on digits, 5 epochs", {"net": "mlp", "dataset": "digits", "epochs": 5}),
        Preset("paper", "Paper", "AlexNet on CIFAR-10, 100 epochs", _paper(cifar) if cifar else None),
        Preset(
            "early",
            "Early training",
            "AlexNet on CIFAR-10, 10 epochs, 30 recordings more within epochs",
            _early(cifar) if cifar else None,
        ),
    )


def _paper(dataset: str) -> dict[str, Any]:
    return {
        "net": "alexnet",
        "dataset": dataset,
        "epochs": 100,
        "batch_size": 128,
        "optimiser": {"lr": 0.05},
        "augmentation": "flip_crop",
    }


def _early(dataset: str) -> dict[str, Any]:
    return {**_paper(dataset), "epochs": 10, "lr_schedule": {"kind": "cosine"}, "recordings": {"log_spaced": 30}}


def cifar10(datasets: Sequence[DatasetOut]) -> str | None:
    plain = {dataset.name: re.sub(r"[^a-z0-9]", "", dataset.name.lower()) for dataset in datasets}
    names = [name for name, letters in plain.items() if "cifar10" in letters and "cifar100" not in letters]
    return max(names, key=lambda name: name != "cifar10", default=None)
