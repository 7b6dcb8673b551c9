"""Write backend/torchvision_nets.json: which nets of torchvision are ReLU nets, and how large they are.

The server offers these names and states a run's size without importing torch. A net is listed where ReLUs are its only
activation modules. Of each: the ReLU layers, the smallest square image that it takes, the units of all layers together
at the sizes in SIZES that it takes, its weights without the classes', and those of a class.

    .venv/bin/python scripts/torchvision_nets.py
"""

import json
from bisect import bisect_left
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from worker.nets.torchvision import OPTIONS
from worker.recorder import RELUS
from worker.vision import torchvision

SIZES = (8, 16, 28, 32, 48, 64, 96, 128, 224, 299)
CLASSES = 1000
TARGET = Path(__file__).parent.parent / "backend" / "torchvision_nets.json"


class Counting(TorchFunctionMode):
    """Counts ReLU calls and their units for one image."""

    layers = 0
    units = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if func in RELUS:
            self.layers += 1
            self.units += output[0].numel()
        return output


def main() -> None:
    models = torchvision.models
    nets = {name: of_net(name) for name in sorted(models.list_models(module=models))}
    listed = {name: net for name, net in nets.items() if net is not None}
    TARGET.write_text("{\n" + ",\n".join(f'"{name}": {json.dumps(net)}' for name, net in listed.items()) + "\n}\n")
    print(
        f"{len(listed)} of {len(nets)} nets are ReLU nets; left out: {', '.join(sorted(nets.keys() - listed.keys()))}"
    )


def of_net(name: str) -> dict[str, Any] | None:
    """What is listed of the net, None where it is not a ReLU net. Nothing is computed: tensors have shapes alone."""
    try:
        with torch.device("meta"):
            net, doubled = build(name), build(name, 2 * CLASSES)
    except NotImplementedError:  # some work out their widths with tensors
        net, doubled = build(name).to("meta"), build(name, 2 * CLASSES).to("meta")
    others = {
        type(module).__name__
        for module in net.modules()
        if type(module).__module__ == nn.modules.activation.__name__ and not isinstance(module, nn.ReLU)
    }
    if others:
        return None
    counted = {size: count(net, size) for size in SIZES}
    fitting = {size: counts for size, counts in counted.items() if counts is not None}
    if not any(counts.layers for counts in fitting.values()):
        return None
    least = bisect_left(range(max(SIZES)), True, lo=1, key=lambda size: count(net, size) is not None)
    return {
        "layers": fitting[max(fitting)].layers,
        "batch_norm": any(isinstance(module, nn.BatchNorm2d) for module in net.modules()),
        "least_pixels": least,
        "units": {size: counts.units for size, counts in fitting.items()},
        "weights": 2 * weights(net) - weights(doubled),
        "weights_per_class": (weights(doubled) - weights(net)) // CLASSES,
    }


def weights(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def build(name: str, classes: int = CLASSES) -> nn.Module:
    net: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=classes, **OPTIONS.get(name, {}))
    return net.eval()


def count(net: nn.Module, size: int) -> Counting | None:
    """The ReLU calls for one square image, None where the net does not take it."""
    try:
        with torch.no_grad(), Counting() as counting:
            net(torch.empty(1, 3, size, size, device="meta"))
    except RuntimeError:
        return None
    return counting


if __name__ == "__main__":
    main()
