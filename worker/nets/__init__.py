"""The nets that Pathscope brings, and how a net is found by name. A net's last layer gives one logit per class."""

import pkgutil
from typing import cast

import torch
from torch import nn

from backend.plugins import InputShape, net_entries
from worker.nets.modes import evaluating

__all__ = ["InputShape", "build_net", "evaluating"]


def build_net(name: str, input_shape: InputShape, classes: int, seed: int = 0) -> nn.Module:
    """The installed net of that name, freshly initialised on the CPU; the same seed gives the same weights.

    The global random state is left as it was. Raises ValueError for a name that is not installed.
    """
    entry = net_entries().get(name)
    if entry is None:
        raise ValueError(f"no net is named {name!r}; installed are {', '.join(sorted(net_entries()))}")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        build = pkgutil.resolve_name(entry.build)
        return cast(nn.Module, build(input_shape, classes, *entry.arguments))
