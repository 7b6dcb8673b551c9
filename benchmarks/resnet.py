"""ResNet-18 on CIFAR-10 with 1,000 probe images, recorded after every epoch, on an NVIDIA GPU: is it good and fast?

The real trainer and database. The net is compiled, channels last, in bf16; data and augmentation lie on the device. The
run without recording evaluates at the same steps. What every run needs once, reading the pictures and compiling, is
counted to the run with recording.

Beside training, a recording needs the machine's processor: what of that it needs is timed alone as well, without a GPU.
"""

from time import perf_counter
from typing import Any

import numpy as np
import torch

from backend import codec
from backend.schemas import RunSpec
from backend.summary import summarise
from benchmarks.gpu import LAYERS
from benchmarks.recording import WithoutRecording, cifar10, fresh_home, part, trained
from worker.data import Data
from worker.trainer import Trainer

RECIPE = {
    "net": "resnet18",
    "dataset": "cifar10",
    "batch_size": 512,
    "optimiser": {"lr": 0.4, "momentum": 0.9, "weight_decay": 5e-4},
    "lr_schedule": {"kind": "one_cycle"},
    "label_smoothing": 0.1,
    "augmentation": "flip_crop",
    "precision": "bf16",
    "compile": True,
}
EPOCHS, PROBE_IMAGES = 30, 1000
ACCURACY, MINUTES, OVERHEAD = 0.95, 5, 1.05


def bench(rehearsal: bool = False) -> dict[str, Any]:
    """`rehearsal` goes through it with tiny sizes, on the CPU where there is no GPU; its figures mean nothing."""
    host = host_seconds(16 if rehearsal else PROBE_IMAGES)
    if not torch.cuda.is_available() and not rehearsal:
        return {"gpu": "no GPU", "host_seconds_per_recording": host, "checks": {}}
    began = perf_counter()
    pictures, data = cifar10()
    reading = perf_counter() - began
    spec = RunSpec.model_validate(RECIPE | {"epochs": EPOCHS, "probe": {"count": PROBE_IMAGES}})
    if rehearsal:
        data = part(data, 24)
        spec = RunSpec.model_validate(RECIPE | {"epochs": 2, "batch_size": 16, "probe": {"count": 16}})
    with fresh_home():
        return measured(spec, data, pictures, reading) | {"rehearsal": rehearsal, "host_seconds_per_recording": host}


def measured(spec: RunSpec, data: Data, pictures: str, reading: float) -> dict[str, Any]:
    """The first use is a run of one epoch and few steps, which compiles all that the whole one needs."""
    few = part(data, 2 * spec.batch_size)
    short = RunSpec.model_validate(spec.model_dump() | {"epochs": 1})
    first = trained(Trainer, short, few)[0].seconds
    trained(WithoutRecording, short, few)
    without = trained(WithoutRecording, spec, data)[0].seconds
    recording, trainer = trained(Trainer, spec, data)
    accuracy = trainer.training.evaluate("test").accuracy
    whole, overhead = reading + first + recording.seconds, recording.seconds / without
    return {
        "pictures": pictures,
        "spec": spec.model_dump(mode="json"),
        "images_per_epoch": len(data.train_images),
        "seconds_with_recording": recording.seconds,
        "seconds_without": without,
        "seconds_of_reading_the_pictures": reading,
        "seconds_of_first_use": first,
        "seconds_in_all": whole,
        "test_accuracy": accuracy,
        "overhead": overhead,
        "checks": {
            f"test accuracy at least {ACCURACY:.0%}": pictures != "random" and accuracy >= ACCURACY,
            f"at most {MINUTES} minutes, everything included": whole <= MINUTES * 60,
            f"with recording at most {OVERHEAD} of the time without": overhead <= OVERHEAD,
        },
    }


def host_seconds(images: int) -> dict[str, float]:
    """What a recording's thread does on the processor once the GPU has compared, in seconds of one core.

    Paths and ratios are random: real ones compress better.
    """
    draws = np.random.default_rng(0)
    pairs = draws.random(images * (images - 1) // 2)
    paths = {units: np.packbits(draws.random((images, units)) < 0.4, axis=1) for units in sorted(set(LAYERS))}
    taken = {"compress paths": 0.0, "summarise ratios": 0.0, "compress ratios": 0.0, "pairs of matrices": 0.0}

    def timed(what: str, began: float) -> float:
        taken[what] += perf_counter() - began
        return perf_counter()

    matrix = codec.from_pairs(pairs)
    for units in LAYERS:
        now = perf_counter()
        codec.encode(paths[units])
        now = timed("compress paths", now)
        for _ in ("path", "activation"):
            summarise(pairs.astype(np.float32))
            now = timed("summarise ratios", now)
        for _ in range(4):  # closeness and cross-path similarity of both
            codec.to_pairs(matrix)
            now = timed("pairs of matrices", now)
            codec.encode(pairs.astype(np.float32))
            now = timed("compress ratios", now)
    return taken | {"in all": sum(taken.values())}
