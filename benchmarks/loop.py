"""The training loop against a bare one: the same net, batch, precision and number of images."""

from collections.abc import Iterator, Sequence
from itertools import islice, permutations
from time import perf_counter
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import bootstrap

from backend.schemas import RunSpec
from benchmarks.pictures import random_pictures
from worker.data import Data
from worker.nets import build_net
from worker.training import Training, choose_device

TURN_STEPS = 1
LEVEL = 0.95


def bench(net: str = "alexnet", batch_size: int = 128, rounds: int = 40, precision: str = "fp32") -> dict[str, Any]:
    """The loops take turns of one step, in another order each round; what is stated is the median over the rounds.

    A busy spell of the machine then meets all alike, or spoils a round that the median leaves out.
    """
    device = choose_device("auto")
    data = random_pictures((rounds + 2) * TURN_STEPS * batch_size, 256)
    spec = RunSpec(net=net, dataset="digits", epochs=1, batch_size=batch_size, augmentation="none", precision=precision)
    ours = iter(Training(build_net(net, data.input_shape, 10), data, spec, device))
    next(ours)
    loops: dict[str, Iterator[Any]] = {"ours": ours}
    for layout in ("contiguous", "channels_last"):
        loops[layout] = bare_loop(build_net(net, data.input_shape, 10), data, spec, device, layout)
    seconds = turns(loops, rounds, device)
    rates = {name: TURN_STEPS * batch_size / float(np.median(taken)) for name, taken in seconds.items()}
    ratios = {name: ratio(seconds[name], seconds["ours"]) for name in seconds if name != "ours"}
    least = min(ratios.values(), key=lambda one: one["median"])
    return {
        "net": net,
        "batch_size": batch_size,
        "precision": precision,
        "rounds": rounds,
        "images_per_second": rates,
        "ours_over_bare_loop": ratios,
        "checks": {"images per second at least those of a bare loop": least["median"] >= 1},
    }


def turns(loops: dict[str, Iterator[Any]], rounds: int, device: torch.device) -> dict[str, list[float]]:
    """Seconds of each loop's turns, after one that warms up; none always follows the same one."""
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    orders = list(permutations(loops))
    for number in range(rounds + 1):
        for name in orders[number % len(orders)]:
            began = perf_counter()
            list(islice(loops[name], TURN_STEPS))
            if device.type == "cuda":
                torch.cuda.synchronize()
            if number:
                seconds[name].append(perf_counter() - began)
    return seconds


def ratio(bare: Sequence[float], ours: Sequence[float]) -> dict[str, Any]:
    """How much faster ours is, round by round: the median, and its interval by the bootstrap."""
    faster = np.array(bare) / np.array(ours)
    found = bootstrap((faster,), np.median, confidence_level=LEVEL, method="percentile", rng=0)
    interval = [float(found.confidence_interval.low), float(found.confidence_interval.high)]
    return {"median": float(np.median(faster)), "interval": interval, "level": LEVEL}


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
