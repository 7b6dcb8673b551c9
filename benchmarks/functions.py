"""What a recording costs that compares image functions or projects along earlier paths, on 32×32 pixels.

Beside it the plain way to compare image functions: torch's gradients of every image, all in memory, and their products.
"""

from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from benchmarks.machine import fastest
from worker.image_functions import ImageFunctions
from worker.kernels.projection import project
from worker.nets import build_net, evaluating
from worker.recorder import capture

SHAPE = (3, 32, 32)
CLASSES = 10
SIZES = (("alexnet", 64), ("alexnet", 256), ("resnet18", 64), ("resnet18", 256))
PLAIN_IMAGES = 64
"""More of them, and the gradients of the plain way do not fit into the memory of a small machine."""


def bench() -> dict[str, Any]:
    return {"pixels": SHAPE[1], "rows": [measured(name, images) for name, images in SIZES], "checks": {}}


def measured(name: str, images: int) -> dict[str, Any]:
    """A recording after the first one, so that image functions are compared with those before as well."""
    net = build_net(name, SHAPE, CLASSES)
    pictures, labels = torch.randn(images, *SHAPE), torch.randint(0, CLASSES, (images,))
    functions = ImageFunctions()
    functions.remember(build_net(name, SHAPE, CLASSES, seed=1))
    began = perf_counter()
    functions.step(net, pictures, labels)
    row = {"net": name, "images": images, "image_functions_seconds": perf_counter() - began}
    if images <= PLAIN_IMAGES:
        ours, plain = fastest(
            2, lambda: ImageFunctions().step(net, pictures, labels), lambda: cosines(net, pictures, labels)
        )
        row |= {"one_time_seconds": ours, "plain_seconds": plain, "plain_over_ours": plain / ours}
    paths = [one.packed for one in capture(net, pictures)]
    (row["projection_seconds"],) = fastest(2, lambda: project(net, pictures, paths))
    return row


def cosines(net: nn.Module, images: Tensor, labels: Tensor) -> list[Tensor]:
    """Of each layer with weights, as (images, images)."""

    def loss(weights: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(net, weights, image[None]), label[None])

    weights = {name: one.detach() for name, one in net.named_parameters() if one.ndim > 1}
    with evaluating(net):
        gradients = vmap(grad(loss), (None, 0, 0))(weights, images, labels)
    rows = [F.normalize(one.flatten(1)) for one in gradients.values()]
    return [one @ one.T for one in rows]
