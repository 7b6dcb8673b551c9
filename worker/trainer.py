"""The process that trains one run: load, train, record, checkpoint. `worker.supervisor` starts it and watches over it.

Between two steps of training only what they change is taken: paths, activations and the state to go on from. All that
follows from it is measured and written in the background, in order.

Of a run on several devices this is the first process, which alone records (`worker.rank`).

It ends in one of three ways: the run is completed, cancelled or failed, and its row says so; or the process was told to
stop (SIGTERM, which the kernel sends as well when the parent dies) and gives the run back to the queue; or the run was
given to another attempt meanwhile, and nothing is written.
"""

import copy
import logging
import os
import signal
import sys
import threading
from functools import partial
from time import monotonic
from types import FrameType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from backend import artifacts, codec
from backend.db import patiently, session_scope
from backend.errors import LeaseLost, NoSpace
from backend.models import now
from backend.schemas import ImageOut, LayerOut, Quantity, Recorded, RecordingOut, RunSpec, RunStatus
from backend.services import leases, recordings
from backend.services.leases import Lease
from backend.services.recordings import AnswerMeasure, LayerMeasure, ProjectionMeasure
from backend.settings import settings
from worker import probes, signs_of_life
from worker.background import Background
from worker.checkpoints import Checkpoints
from worker.data import Dataset, DatasetUnavailable
from worker.image_functions import ImageFunctions
from worker.kernels.distance import pixel_distances
from worker.kernels.packing import from_stored
from worker.kernels.projection import outcome
from worker.measures import Measures
from worker.path_history import Packed, PathHistory
from worker.preparation import prepare
from worker.projections import Projections
from worker.recorder import Capture, Observed, observe
from worker.reporter import Reporter
from worker.share import ALONE, OtherFailed, Share, is_silence
from worker.start import ALARM_SECONDS
from worker.training import Diverged, Step

log = logging.getLogger("pathscope.trainer")

WAITING_RECORDINGS = 2
"""So many may wait to be measured and written while the next ones are made; each holds what was captured."""
PATIENCE_SECONDS = 2.0
"""For recordings that wait when the process is told to stop; its supervisor kills it soon after."""


class End(NamedTuple):
    """How a run ended that was not stopped."""

    status: RunStatus
    reason: str | None = None


class Stopped(BaseException):
    """Somebody wants this process to end before its run does."""


class Trainer:
    """One attempt at one run; `run` returns when all of it is recorded. Raises Stopped when it is asked to stop."""

    def __init__(self, lease: Lease, spec: RunSpec, reporter: Reporter, share: Share = ALONE) -> None:
        self.lease = lease
        self.spec = spec
        self.reporter = reporter
        self.share = share
        self.measures = Measures(spec.compared)
        self.history = PathHistory(self._stored_paths)
        self.projections = Projections(self.history, spec.recordings.projection_every)
        self.image_functions = ImageFunctions() if Recorded.IMAGE_FUNCTION in spec.quantities else None
        self.checkpoints = Checkpoints(lease)
        self.t = 0
        self.seconds_before = 0.0
        self.began = monotonic()

    def run(self) -> None:
        self.reporter.set(phase="loading", epochs=self.spec.epochs)
        data, self.training = prepare(self.spec, self.share)
        self.indices = probes.draw(self.spec.probe, data.train_labels)
        self.labels = data.train_labels[self.indices]
        self.class_names = data.class_names
        with Background(WAITING_RECORDINGS, PATIENCE_SECONDS) as self.background:
            if not self._resume():
                self._write_images(data)
            self._say_what_comes()
            self._train()
        for t in range(self.t - {"all": self.t, "last": 1, "none": 0}[self.spec.paths]):
            artifacts.delete_paths(self.lease.run_id, t)
        if self.lease.attempt > 1:
            for t in range(self.t):
                artifacts.delete_other_paths(self.lease.run_id, self.checkpoints.attempt_of(t), t)

    def _say_what_comes(self) -> None:
        steps = self.training.steps
        left = sum(step > self.training.step for step in self.training.recording_steps) if self.t else None
        total = len(self.training.recording_steps) if left is None else self.t + left
        self.reporter.set(steps=steps, recordings=total)
        where = self.share.named(self.training.device)
        log.info("training %s on %s for %s steps, %s recordings", self.spec.net, where, steps, total)

    def _train(self) -> None:
        images_before: int | None = None
        for step in self.training:
            images_before = step.images if images_before is None else images_before
            self.reporter.trained(step.step, step.epoch, step.images - images_before)
            self.background.check()
            if step.due:
                self.reporter.set(phase="recording")
                self._record(step)
            if self.reporter.stop_asked.is_set():
                if self.reporter.pausing:
                    self._checkpoint_here()
                raise Stopped
        self.reporter.set(phase="finishing")
        self.background.drain()

    def _observe(self) -> Observed:
        images = self.training.probe_images(self.indices)
        activations = Quantity.ACTIVATION in self.spec.compared
        return observe(self.training.net, images, bf16=self.spec.precision == "bf16", activations=activations)

    def _record(self, step: Step) -> None:
        """Take all of recording t that training is about to change, and have it kept while training goes on."""
        try:
            captures, logits = self._observe()
        except torch.OutOfMemoryError:
            # Recordings that wait hold memory.
            self.background.drain()
            captures, logits = self._observe()
        answers = self._answers(logits)
        projections, functions = self._project(captures), self._compare_functions()
        recording = self._evaluated(step)
        self.t += 1
        state = {"training": copy.deepcopy(self.training.state_dict()), "t": self.t, "seconds": recording.seconds}
        self.background.put(partial(self._keep, captures, functions, projections, answers, recording, state))

    def _answers(self, logits: Tensor) -> AnswerMeasure:
        loss = outcome(logits, self.labels.to(logits.device)).loss
        predicted = torch.where(loss.isnan(), -1, logits.argmax(1))
        return AnswerMeasure(predicted.cpu().numpy(), loss.cpu().numpy())

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
        answers: AnswerMeasure,
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
                artifacts.write_paths(self.lease.run_id, self.lease.attempt, recording.t, k, codec.encode(paths))
            measures += self.history.step(self.measures.packed)
        recording = recording.model_copy(update={"created_at": now()})

        def store() -> None:
            with session_scope() as session:
                if recording.t == 0:
                    recordings.write_layout(session, self.lease, _layers(captures), self.images, self.class_names)
                recordings.write_recording(session, self.lease, recording, measures, projections, answers)

        patiently(store, settings().database_patience_seconds)
        self.checkpoints.write(state)
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

    def _checkpoint_here(self) -> None:
        """Write a checkpoint between two recordings. Where nothing is recorded yet, there is nothing to go on from."""
        self.background.drain()
        state = self.checkpoints.newest(torch.device("cpu"))
        if state is None or state["t"] != self.t:
            return
        state["net_recorded"] = state.get("net_recorded", state["training"]["net"])
        self.checkpoints.write(state | {"training": self.training.state_dict(), "seconds": self._seconds()})
        log.info("paused after step %s, recording %s was the last", self.training.step, self.t - 1)

    def _resume(self) -> bool:
        """Go on after the newest checkpoint, if an earlier attempt left one.

        The net of the newest recording gives its paths once more. It is the checkpoint's own, which is written right
        after a recording, but for one that was written in between when the run was paused: that holds both.
        """
        state = self.checkpoints.newest(self.training.device)
        if state is None:
            return False
        self.training.net.load_state_dict(state.get("net_recorded", state["training"]["net"]))
        self.t, self.seconds_before = state["t"], state["seconds"]
        self.history.count = self.t
        if self.image_functions is not None:
            self.image_functions.remember(self.training.net)
        # In the thread that measures what follows: to the bit, sums depend on the number of threads.
        self.background.put(partial(self.measures.step, self._observe().captures))
        self.training.load_state_dict(state["training"])
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
        data = artifacts.read_paths(self.lease.run_id, self.checkpoints.attempt_of(t), t, k)
        if data is None:
            raise ValueError(f"the paths of layer {k} at recording {t} are not where they were stored")
        return from_stored(codec.decode(data))

    def _seconds(self) -> float:
        return self.seconds_before + monotonic() - self.began


def main() -> None:
    """Arguments: the fields of the lease, and the descriptor for signs of life."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    lease = Lease(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    try:
        try:
            signal.signal(signal.SIGTERM, stop)
            signs_of_life.give(int(sys.argv[4]))
            end = attempt(lease)
        except Stopped:
            end = None
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        write_end(lease, end)
    except LeaseLost:
        log.warning("the run belongs to another attempt now; nothing more is written")
    # All that is to be kept is written; taking the interpreter and torch apart takes seconds where cores are busy.
    sys.stdout.flush()
    os._exit(0)


def attempt(lease: Lease, share: Share = ALONE, stop_signal: signal.Signals = signal.SIGTERM) -> End:
    """Train; how the run ended. Raises Stopped where this process has to go before; the signal has it do so.

    As one of several processes, raises what says that another one is gone.
    """
    spec = patiently(partial(_spec, lease), settings().database_patience_seconds)
    with Reporter(lease, partial(_interrupt, stop_signal)) as reporter:
        try:
            Trainer(lease, spec, reporter, share).run()
        except (LeaseLost, OtherFailed):
            raise
        except (DatasetUnavailable, Diverged, NoSpace, ValueError) as error:
            log.error("%s", error, exc_info=error)
            return End(RunStatus.FAILED, _sentence(str(error)))
        except (torch.OutOfMemoryError, MemoryError) as error:
            log.error("out of memory", exc_info=error)
            return End(
                RunStatus.FAILED, "The device has too little memory; use a smaller batch_size or fewer probe images."
            )
        except Exception as error:
            if not share.alone and is_silence(error):
                raise
            log.error("unexpected error", exc_info=error)
            return End(RunStatus.FAILED, _sentence(f"{type(error).__name__}: {error}"))
    return End(RunStatus.COMPLETED, None)


def write_end(lease: Lease, end: End | None) -> None:
    """None: the process was stopped; what becomes of the run then stands in its row."""

    def write() -> None:
        with session_scope() as session:
            if end is None:
                leases.give_back(session, lease)
            else:
                leases.end(session, lease, end.status, end.reason)

    patiently(write, PATIENCE_SECONDS if end is None else settings().database_patience_seconds)
    if end is None:
        log.info("stopped before the end of the run")
    else:
        log.info("the run is %s%s", end.status, f": {end.reason}" if end.reason else "")


def _interrupt(stop_signal: signal.Signals) -> None:
    """Have the main thread raise Stopped, wherever it is."""
    signal.pthread_kill(threading.main_thread().ident or 0, stop_signal)


def _spec(lease: Lease) -> RunSpec:
    with session_scope() as session:
        return leases.spec_of(session, lease)


def stop(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    signal.alarm(ALARM_SECONDS)
    raise Stopped


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
