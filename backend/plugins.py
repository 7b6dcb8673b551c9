"""What a net or a dataset says of itself to the server, and how packages add their own.

A package declares an entry point in the group `pathscope.nets` or `pathscope.datasets` that names a `NetEntry` or a
`DatasetEntry`, or a sequence of nets. The entry is data; `build` and `load` are import strings
("package.module:function") that only the worker follows, so that the server never loads torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import NamedTuple

InputShape = tuple[int, int, int]
"""Channels, height, width."""


class NetSize(NamedTuple):
    """How many ReLU layers a net has, and how many units all of them together."""

    layers: int
    units: int


@dataclass(frozen=True)
class NetEntry:
    """A net: `build(input_shape, classes, *arguments) -> torch.nn.Module`, input_shape being (channels, height, width).

    `size(input_shape)` and `batch_norm` (whether there is one before most ReLUs) give what the size of its recordings
    is estimated from, `weights(input_shape, classes)` what that of its checkpoints is. `least_pixels` is the shortest
    side of an image that it takes.
    """

    name: str
    title: str
    description: str
    build: str
    arguments: tuple[str, ...] = ()
    size: Callable[[InputShape], NetSize] | None = None
    weights: Callable[[InputShape, int], int] | None = None
    least_pixels: int = 1
    batch_norm: bool = True


@dataclass(frozen=True)
class DatasetEntry:
    """A dataset: `load(folder) -> worker.data.Dataset`, folder being where downloads may be kept.

    Where `folders` are given, it is offered only while the data folder holds each of them.
    """

    name: str
    title: str
    description: str
    load: str
    train_images: int | None = None
    test_images: int | None = None
    classes: int | None = None
    input_shape: InputShape | None = None
    folders: tuple[str, ...] = ()


@lru_cache
def net_entries() -> Mapping[str, NetEntry]:
    """Every net that is installed, by name."""
    found: list[NetEntry] = []
    for point in entry_points(group="pathscope.nets"):
        named: NetEntry | Sequence[NetEntry] = point.load()
        found += [named] if isinstance(named, NetEntry) else named
    return MappingProxyType({entry.name: entry for entry in found})


@lru_cache
def dataset_entries() -> Mapping[str, DatasetEntry]:
    """Every dataset that is installed, by name; folders of the operator come on top, see `backend.catalogue`."""
    found = [point.load() for point in entry_points(group="pathscope.datasets")]
    return MappingProxyType({entry.name: entry for entry in found})
