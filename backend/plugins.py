"""What a net or a dataset says of itself to the server, and how packages add their own.

A package declares an entry point in the group `pathscope.nets` or `pathscope.datasets` that names a `NetEntry` or a
`DatasetEntry`. The entry is data; `build` and `load` are import strings ("package.module:function") that only the
worker follows, so that the server never loads torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from types import MappingProxyType


@dataclass(frozen=True)
class NetEntry:
    """A net: `build(input_shape, classes) -> torch.nn.Module`, input_shape being (channels, height, width)."""

    name: str
    title: str
    description: str
    build: str


@dataclass(frozen=True)
class DatasetEntry:
    """A dataset: `load(folder) -> worker.datasets.Data`, folder being where downloads may be kept."""

    name: str
    title: str
    description: str
    load: str
    train_images: int | None = None
    test_images: int | None = None
    classes: int | None = None


@lru_cache
def net_entries() -> Mapping[str, NetEntry]:
    """Every net that is installed, by name."""
    found = [point.load() for point in entry_points(group="pathscope.nets")]
    return MappingProxyType({entry.name: entry for entry in found})


@lru_cache
def dataset_entries() -> Mapping[str, DatasetEntry]:
    """Every dataset that is installed, by name; folders of the operator come on top, see `backend.catalogue`."""
    found = [point.load() for point in entry_points(group="pathscope.datasets")]
    return MappingProxyType({entry.name: entry for entry in found})
