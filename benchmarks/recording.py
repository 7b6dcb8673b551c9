"""What recording costs: one run of the real trainer with its recordings, and one that only evaluates at the same steps.

Everything that belongs to a recording is in the first: capture, statistics, compression, files, database, checkpoint.
Both train and evaluate the same number of images on the same device. A recording costs the same however long an epoch
is, so that a short one tells the overhead of a long one.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple
from unittest.mock import patch

from alembic import command
from alembic.config import Config

from backend import artifacts, db, queue, settings
from backend.db import session_scope
from backend.schemas import RunSpec
from backend.services import leases, runs
from benchmarks.pictures import random_pictures
from worker.data import Data, DatasetUnavailable
from worker.datasets import load_data
from worker.reporter import Reporter
from worker.trainer import Trainer
from worker.training import Step

ROOT = Path(__file__).parent.parent
PICTURES = "cifar10.zip"


class Taken(NamedTuple):
    """Wall time, and that of all cores together, which other work on the machine hardly changes."""

    seconds: float
    core_seconds: float


class WithoutRecording(Trainer):
    """Evaluates where the other one records."""

    def _record(self, step: Step) -> None:
        self._evaluated(step)
        self.t += 1


def bench(images: int = 10_000, epochs: int = 2, probe: int = 256, turns: int = 2) -> dict[str, Any]:
    """Wall time of training from its first step to the end of its last write; the arms take turns, the least counts."""
    pictures, data = cifar10()
    data = part(data, images)
    spec = RunSpec(
        net="alexnet", dataset="digits", epochs=epochs, probe={"count": probe}, quantities=["path", "activation"]
    )
    with fresh_home() as home:
        arms = (Trainer, WithoutRecording)
        seconds = {arm: [] for arm in arms}
        for _ in range(turns):
            for arm in arms:
                seconds_of(arm, spec, part(data, 256))  # first uses compile, import and connect
                seconds[arm].append(seconds_of(arm, spec, data))
        stored = sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
    least, busy = ({arm: min(one[n] for one in taken) for arm, taken in seconds.items()} for n in (0, 1))
    overhead = least[Trainer] / least[WithoutRecording]
    extra = least[Trainer] - least[WithoutRecording]
    whole = 1 + extra / (least[WithoutRecording] * 50_000 / len(data.train_images))
    how = "measured" if len(data.train_images) == 50_000 else f"reckoned from {len(data.train_images):,}"
    return {
        "pictures": pictures,
        "images_per_epoch": len(data.train_images),
        "epochs": epochs,
        "recordings": epochs + 1,
        "probe_images": probe,
        "seconds_with_recording": seconds[Trainer],
        "seconds_without": seconds[WithoutRecording],
        "overhead": overhead,
        "seconds_per_recording": extra / (epochs + 1),
        "core_seconds_overhead": busy[Trainer] / busy[WithoutRecording],
        "core_seconds_per_recording": (busy[Trainer] - busy[WithoutRecording]) / (epochs + 1),
        "overhead_at_50000_images": whole,
        "bytes_stored": stored,
        "checks": {
            f"wall time with recording at most 1.05 of that without, at 50,000 images per epoch ({how})": whole <= 1.05
        },
    }


def cifar10() -> tuple[str, Data]:
    """Where its pictures are from, and all of them; random ones where there is neither a zip nor a way to download."""
    folder = Path(os.environ.get("PATHSCOPE_DATA", ""))
    if (folder / PICTURES).is_file():
        return PICTURES, load_data(f"imagefolder:{PICTURES}", folder)
    try:
        return "CIFAR-10", load_data("cifar10", folder)
    except DatasetUnavailable:
        return "random", random_pictures(50_000, 10_000)


@contextmanager
def fresh_home() -> Iterator[Path]:
    """Inside, runs are kept in a database and a folder of their own, which are gone afterwards."""
    with tempfile.TemporaryDirectory() as home, patch.dict(os.environ, {"PATHSCOPE_HOME": home}):
        for cached in (settings.settings, db.engine, queue.celery_app, artifacts._root):
            cached.cache_clear()
        command.upgrade(Config(ROOT / "alembic.ini"), "head")
        yield Path(home)


def part(data: Data, images: int) -> Data:
    """So many training images, spread over all, and as large a part of the test images."""
    step = max(len(data.train_images) // images, 1)
    train = data.train_images[::step][:images], data.train_labels[::step][:images]
    return Data.of(train, (data.test_images[::step], data.test_labels[::step]), data.class_names)


def seconds_of(arm: type[Trainer], spec: RunSpec, data: Data) -> Taken:
    return trained(arm, spec, data)[0]


def trained(arm: type[Trainer], spec: RunSpec, data: Data) -> tuple[Taken, Trainer]:
    """What a run took, and its trainer after the last write."""
    with session_scope() as session:
        run, _ = runs.submit(session, spec)
    with session_scope() as session:
        lease = leases.claim(session, run.id, "benchmark")
    if lease is None:
        raise RuntimeError(f"run {run.id} could not be claimed")
    with Reporter(lease) as reporter, patch("worker.preparation.load_data", lambda *_: data):
        began, began_busy = perf_counter(), process_time()
        trainer = arm(lease, spec, reporter)
        trainer.run()
        return Taken(perf_counter() - began, process_time() - began_busy), trainer
