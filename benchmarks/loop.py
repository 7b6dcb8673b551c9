"""The training loop against a bare one: the same net, batch, precision and number of images."""

from collections.abc import Iterator
from itertools import islice
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F

from backend.schemas import RunSpec
from benchmarks.pictures import random_pictures
from worker.data import Data
from worker.nets import build_net
from worker.training import Training, choose_device

BLOCK_STEPS = 3


def bench(net: str = "alexnet", batch_size: int = 128, blocks: int = 8, precision: str = "fp32") -> dict[str, Any]:
    """Both loops take turns of a few steps, so that a busy spell of the machine meets both alike."""
    device = choose_device("auto")
    data = random_pictures((2 * blocks + 2) * BLOCK_STEPS * batch_size, 256)
    spec = RunSpec(net=net, dataset="digits", epochs=1, batch_size=batch_size, augmentation="none", precision=precision)
    ours = iter(Training(build_net(net, data.input_shape, 10), data, spec, device))
    next(ours)
    loops = {"ours": ours}
    for layout in ("contiguous", "channels_last"):
        loops[layout] = bare_loop(build_net(net, data.input_shape, 10), data, spec, device, layout)
    seconds = dict.fromkeys(loops, 0.0)
    for block in range(blocks + 1):
        for name in sorted(loops, reverse=block % 2 == 1):  # none always follows the same one
            loop = loops[name]
            began = perf_counter()
            list(islice(loop, BLOCK_STEPS))
            if device.type == "cuda":
                torch.cuda.synchronize()
            if block:  # the first one warms up
                seconds[name] += perf_counter() - began
    images = blocks * BLOCK_STEPS * batch_size
    rates = {name: images / taken for name, taken in seconds.items()}
    ratio = rates["ours"] / max(rates["contiguous"], rates["channels_last"])
    return {
        "net": net,
        "batch_size": batch_size,
        "precision": precision,
        "images_per_second": rates,
        "ours_over_the_faster_bare_loop": ratio,
        "checks": {"images per second at least those of a bare loop": ratio >= 1},
    }


def bare_loop(net: torch.nn.Module, data: Data, spec: RunSpec, device: torch.device, layout: str) -> Iterator[None]:
    """What one writes without Pathscope: uint8 images on the device, normalised batch by batch."""
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    net = net.to(device=device, memory_format=memory_format)  # type: ignore[call-overload]
    images, labels = data.train_images.to(device), data.train_labels.to(device)
    mean, std = data.mean.to(device)[:, None, None], data.std.to(device)[:, None, None]
    settings = spec.optimiser
    optimiser = torch.optim.SGD(
        net.parameters(), settings.lr, settings.momentum, weight_decay=settings.weight_decay, nesterov=settings.nesterov
    )
    net.train()
    for batch in torch.randperm(len(images), device=device).split(spec.batch_size):
        pixels = images[batch].float().div_(255).sub_(mean).div_(std).to(memory_format=memory_format)
        with torch.autocast(device.type, torch.bfloat16, enabled=spec.precision == "bf16"):
            loss = F.cross_entropy(net(pixels), labels[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        yield
