"""The process that trains one run: load, train, record, checkpoint. `worker.supervisor` starts it and watches over it.

Between two steps of training only what they change is taken: paths, activations and the state to go on from. All that
follows from it is measured and written in the background, in order.

It ends in one of three ways: the run is completed, cancelled or failed, and its row says so; or the process was told to
stop (SIGTERM, which the kernel sends as well when the parent dies) and gives the run back to the queue; or the run was
given to another attempt meanwhile, and nothing is written.
"""

import copy
import ctypes
import io
import logging
import signal
import sys
from functools import partial
from time import monotonic
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from backend import artifacts, codec
from backend.db import session_scope
from backend.errors import LeaseLost
from backend.models import now
from backend.schemas import ImageOut, LayerOut, Quantity, Recorded, RecordingOut, RunSpec, RunStatus
from backend.services import leases, recordings
from backend.services.leases import Lease
from backend.services.recordings import LayerMeasure, ProjectionMeasure
from backend.settings import settings
from worker import probes
from worker.background import Background
from worker.data import Dataset, DatasetUnavailable
from worker.datasets import load_data
from worker.image_functions import ImageFunctions
from worker.kernels.distance import pixel_distances
from worker.kernels.packing import from_stored
from worker.measures import Measures
from worker.nets import build_net
from worker.path_history import Packed, PathHistory
from worker.projections import Projections
from worker.recorder import Capture, capture
from worker.reporter import Reporter
from worker.training import Diverged, Step, Training, choose_device

log = logging.getLogger("pathscope.trainer")

PR_SET_PDEATHSIG = 1
WAITING_RECORDINGS = 2
"""So many may wait to be measured and written while the next ones are made; each holds what was captured."""
PATIENCE_SECONDS = 2.0
"""For recordings that wait when the process is told to stop; its supervisor kills it soon after."""


class Stopped(BaseException):
    """Somebody wants this process to end before its run does."""


class Trainer:
    """One attempt at one run; `run` returns when all of it is recorded. Raises Stopped when it is asked to stop."""

    def __init__(self, lease: Lease, spec: RunSpec, reporter: Reporter) -> None:
        self.lease = lease
        self.spec = spec
        self.reporter = reporter
        self.measures = Measures(spec.compared)
        self.history = PathHistory(self._stored_paths)
        self.projections = Projections(self.history, spec.recordings.projection_every)
        self.image_functions = ImageFunctions() if Recorded.IMAGE_FUNCTION in spec.quantities else None
        self.t = 0
        self.seconds_before = 0.0
        self.began = monotonic()

    def run(self) -> None:
        self.reporter.set(phase="loading", epochs=self.spec.epochs)
        device = choose_device(self.spec.device)
        log.info("loading %s", self.spec.dataset)
        data = load_data(self.spec.dataset, settings().data_folder)
        self.indices = probes.draw(self.spec.probe, data.train_labels)
        self.labels = data.train_labels[self.indices]
        net = build_net(self.spec.net, data.input_shape, len(data.class_names), self.spec.seed)
        self.training = Training(net, data, self.spec, device)
        total = len(self.training.recording_steps)
        self.reporter.set(steps=self.training.steps, recordings=total)
        log.info("training %s on %s for %s steps, %s recordings", self.spec.net, device, self.training.steps, total)
        with Background(WAITING_RECORDINGS, PATIENCE_SECONDS) as self.background:
            if not self._resume():
                self._write_images(data)
            self._train()
        for t in range(self.t - {"all": self.t, "last": 1, "none": 0}[self.spec.paths]):
            artifacts.delete_paths(self.lease.run_id, t)

    def _train(self) -> None:
        images_before: int | None = None
        for step in self.training:
            images_before = step.images if images_before is None else images_before
            self.reporter.trained(step.step, step.epoch, step.images - images_before)
            if self.reporter.stop_asked.is_set():
                raise Stopped
            self.background.check()
            if step.due:
                self.reporter.set(phase="recording")
                self._record(step)
        self.reporter.set(phase="finishing")
        self.background.drain()

    def _capture(self) -> list[Capture]:
        images = self.training.probe_images(self.indices)
        activations = Quantity.ACTIVATION in self.spec.compared
        return capture(self.training.net, images, bf16=self.spec.precision == "bf16", activations=activations)

    def _record(self, step: Step) -> None:
        """Take all of recording t that training is about to change, and have it kept while training goes on."""
        try:
            captures = self._capture()
        except torch.OutOfMemoryError:
            # Recordings that wait hold memory.
            self.background.drain()
            captures = self._capture()
        projections, functions = self._project(captures), self._compare_functions()
        recording = self._evaluated(step)
        self.t += 1
        state = {"training": copy.deepcopy(self.training.state_dict()), "t": self.t, "seconds": recording.seconds}
        self.background.put(partial(self._keep, captures, functions, projections, recording, state))

    def _project(self, captures: list[Capture]) -> list[ProjectionMeasure]:
        """At once, as it takes today's weights; it waits for the paths of all recordings before."""
        if Recorded.PROJECTION not in self.spec.quantities or not self.projections.due(self.t):
            return []
        self.background.drain()
        images = self.training.probe_images(self.indices)
        paths = [one.packed for one in captures]
        bf16 = self.spec.precision == "bf16"
        return self.projections.at(self.t, self.training.net, images, self.labels, paths, bf16)

    def _compare_functions(self) -> list[LayerMeasure]:
        """At once, as it takes today's weights."""
        if self.image_functions is None:
            return []
        return self.image_functions.step(self.training.net, self.training.probe_images(self.indices), self.labels)

    def _keep(
        self,
        captures: list[Capture],
        functions: list[LayerMeasure],
        projections: list[ProjectionMeasure],
        recording: RecordingOut,
        state: dict[str, Any],
    ) -> None:
        """Measure and write a recording: files first, then one transaction, then the checkpoint to go on from."""
        non_finite = sum(one.non_finite for one in captures)
        if non_finite:
            log.warning("%s activations at recording %s are infinite or not a number", non_finite, recording.t)
        measures = self.measures.step(captures) + functions
        if Quantity.PATH in self.spec.compared:
            for k, paths in enumerate(self.measures.paths, start=1):
                artifacts.write_paths(self.lease.run_id, recording.t, k, codec.encode(paths))
            measures += self.history.step(self.measures.packed)
        recording = recording.model_copy(update={"created_at": now()})
        with session_scope() as session:
            if recording.t == 0:
                recordings.write_layout(session, self.lease, _layers(captures), self.images)
            recordings.write_recording(session, self.lease, recording, measures, projections)
        buffer = io.BytesIO()
        torch.save(state, buffer)
        artifacts.write_checkpoint(self.lease.run_id, buffer.getvalue())
        self.reporter.set(recorded=state["t"])
        log.info(
            "recording %s at epoch %.2f: train loss %s, train accuracy %s, test accuracy %s",
            *(recording.t, recording.epoch, recording.train_loss, recording.train_accuracy, recording.test_accuracy),
        )

    def _evaluated(self, step: Step) -> RecordingOut:
        train, test = self.training.evaluate("train"), self.training.evaluate("test")
        return RecordingOut(
            t=self.t,
            epoch=step.epoch,
            step=step.step,
            lr=step.lr,
            train_loss=_finite(train.loss),
            train_accuracy=_finite(train.accuracy),
            test_loss=_finite(test.loss),
            test_accuracy=_finite(test.accuracy),
            seconds=self._seconds(),
            created_at=now(),
        )

    def _resume(self) -> bool:
        """Go on after the newest checkpoint, if an earlier attempt left one.

        It was written right after a recording, so that the net that it holds gives that recording's paths once more.
        """
        data = artifacts.read_checkpoint(self.lease.run_id)
        if data is None:
            return False
        state = torch.load(io.BytesIO(data), map_location=self.training.device, weights_only=True)
        self.training.load_state_dict(state["training"])
        self.t, self.seconds_before = state["t"], state["seconds"]
        self.history.count = self.t
        if self.image_functions is not None:
            self.image_functions.remember(self.training.net)
        # In the thread that measures what follows: to the bit, sums depend on the number of threads.
        self.background.put(partial(self.measures.step, self._capture()))
        self.reporter.set(recorded=self.t)
        log.info("going on after recording %s", self.t - 1)
        return True

    def _write_images(self, data: Dataset) -> None:
        images = self.training.feed.images(self.indices).cpu()
        for i, image in enumerate(images):
            artifacts.write_image(self.lease.run_id, i, probes.thumbnail(image))
        distances = codec.to_pairs(pixel_distances(images).numpy())
        artifacts.write_distances(self.lease.run_id, codec.encode(distances.astype("float32")))
        self.images = _images(data, self.indices)

    def _stored_paths(self, t: int, k: int) -> Packed:
        data = artifacts.read_paths(self.lease.run_id, t, k)
        if data is None:
            raise ValueError(f"the paths of layer {k} at recording {t} are not where they were stored")
        return from_stored(codec.decode(data))

    def _seconds(self) -> float:
        return self.seconds_before + monotonic() - self.began


def main() -> None:
    """Arguments: the run's number and the token of the lease."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    lease = Lease(int(sys.argv[1]), sys.argv[2])
    signal.signal(signal.SIGTERM, _stop)
    _die_with_parent()
    try:
        end = _attempt(lease)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _write_end(lease, end)
    except LeaseLost:
        log.warning("the run belongs to another attempt now; nothing more is written")


def _attempt(lease: Lease) -> tuple[RunStatus, str | None]:
    """Train; how the run ended, and why. QUEUED: this process has to go before its run has ended."""
    with session_scope() as session:
        spec = leases.spec_of(session, lease)
    with Reporter(lease) as reporter:
        try:
            Trainer(lease, spec, reporter).run()
        except Stopped:
            return (RunStatus.CANCELLED if reporter.stop_asked.is_set() else RunStatus.QUEUED), None
        except LeaseLost:
            raise
        except (DatasetUnavailable, Diverged, ValueError) as error:
            log.error("%s", error, exc_info=error)
            return RunStatus.FAILED, _sentence(str(error))
        except (torch.OutOfMemoryError, MemoryError) as error:
            log.error("out of memory", exc_info=error)
            return RunStatus.FAILED, "The device has too little memory; use a smaller batch_size or fewer probe images."
        except Exception as error:
            log.error("unexpected error", exc_info=error)
            return RunStatus.FAILED, _sentence(f"{type(error).__name__}: {error}")
    return RunStatus.COMPLETED, None


def _write_end(lease: Lease, end: tuple[RunStatus, str | None]) -> None:
    status, reason = end
    with session_scope() as session:
        if status is RunStatus.QUEUED:
            leases.give_back(session, lease)
        else:
            leases.end(session, lease, status, reason)
    log.info("the run is %s%s", status, f": {reason}" if reason else "")


def _stop(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def _die_with_parent() -> None:
    """Have the kernel send SIGTERM when the supervisor is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _layers(captures: list[Capture]) -> list[LayerOut]:
    return [
        LayerOut(k=k, name=one.name, kind=one.kind, units=one.units, shape=list(one.shape))
        for k, one in enumerate(captures, start=1)
    ]


def _images(data: Dataset, indices: Tensor) -> list[ImageOut]:
    labels = data.train_labels[indices].tolist()
    return [
        ImageOut(i=i, dataset_index=index, label=label, class_name=data.class_names[label])
        for i, (index, label) in enumerate(zip(indices.tolist(), labels, strict=True))
    ]


def _finite(number: float) -> float | None:
    return number if abs(number) < float("inf") else None


def _sentence(text: str) -> str:
    first = text.strip().split("\n")[0][:500]
    return (first[:1].upper() + first[1:]).rstrip(".") + "."


if __name__ == "__main__":
    main()
