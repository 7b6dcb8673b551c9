"""The training loop: SGD over the images that a dataset feeds, resumable to the bit on the CPU.

Everything random comes from the spec's seed. The order of the images and their augmentation in an epoch are drawn from
(seed, epoch) alone; dropout draws from the global generator, whose state is part of `state_dict`.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from backend.schemas import DeviceKind, RunSpec
from worker.data import Dataset, Epoch, Split
from worker.nets import evaluating
from worker.share import ALONE, Share, WholeDropout, shared

EVALUATION_BATCH = 1024
EVALUATION_PIXELS = 2**23
"""At most so many pixels of one channel are evaluated at once: 167 images of 224×224."""
ONE_CYCLE_RISE = 25
ONE_CYCLE_FALL = 10_000
CHECK_STEPS = 50
"""On a GPU, reading the loss waits for it: so often it is read there; on the CPU at every step."""


class Step(NamedTuple):
    """Where training is after an update, or before the first one (step 0).

    `epoch` counts passes over the data, `images` those trained on so far; `lr` is the rate of the update that led here,
    at step 0 of the one to come. `loss` is the mean over the updates since it was last told, None in between. `due`:
    a recording is to be made now.
    """

    step: int
    epoch: float
    lr: float
    images: int
    loss: float | None
    due: bool


class Evaluation(NamedTuple):
    """The mean cross-entropy (maybe not finite) and the share of images classified rightly."""

    loss: float
    accuracy: float


class Diverged(Exception):
    """The training loss is infinite or NaN."""

    def __init__(self, epoch: float, step: int) -> None:
        super().__init__(
            f"the training loss was not finite at step {step} (epoch {epoch:.2f}); a lower learning rate may help."
        )
        self.epoch = epoch
        self.step = step


class Training:
    """Iterate to train: each item is a `Step`, and nothing goes on until the next one is asked for.

    Iterated anew, or after `load_state_dict`, it goes on where it stood, without repeating the step it stood at.

    One of several processes gives its share; all of them iterate and evaluate alike, and all are told the same.
    """

    def __init__(
        self, net: nn.Module, data: Dataset, spec: RunSpec, device: torch.device, share: Share = ALONE
    ) -> None:
        if device.type == "cuda":
            torch.backends.cudnn.benchmark = True
            torch.set_float32_matmul_precision("high" if spec.precision == "bf16" else "highest")
        self.spec = spec
        self.device = device
        self.share = share
        self.net = net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._trained: nn.Module = self.net
        # The compiled net has the same weights; whatever else asks for the net meets the one that was built.
        self._compiled = cast(nn.Module, torch.compile(self.net, dynamic=False)) if spec.compile else None
        if not share.alone:
            self.net, self._trained = shared(self.net, device)
        self.feed = data.feed(device)
        self.counts: dict[Split, int] = {"train": len(data.train_labels), "test": len(data.test_labels)}
        _, height, width = data.input_shape
        self.evaluation_batch = max(min(EVALUATION_BATCH, EVALUATION_PIXELS // (height * width)), 1)
        self.scale = (1 / (255 * data.std)).to(device)[:, None, None]
        self.shift = (-data.mean / data.std).to(device)[:, None, None]
        self.optimiser = torch.optim.SGD(
            self.net.parameters(),
            lr=spec.optimiser.lr,
            momentum=spec.optimiser.momentum,
            nesterov=spec.optimiser.nesterov,
            weight_decay=spec.optimiser.weight_decay,
            fused=True,  # one pass over the weights instead of four
        )
        has_batch_norm = any(isinstance(module, _BatchNorm) for module in net.modules())
        self.batch_sizes = batch_sizes(self.counts["train"], spec.batch_size, least=2 if has_batch_norm else 1)
        self.steps_per_epoch = len(self.batch_sizes)
        self.steps = spec.epochs * self.steps_per_epoch
        self.recording_steps = recording_steps(spec, self.steps_per_epoch)
        self.step = 0
        self._begun = False

    def __iter__(self) -> Iterator[Step]:
        due = set(self.recording_steps)
        if not self._begun:
            torch.manual_seed(self.spec.seed)
            self._begun = True
            yield self._report(None, due=True)
        untold: list[Tensor] = []
        for images, labels in self._batches():
            untold.append(self._update(images, labels))
            self.step += 1
            loss = None
            if self.device.type == "cpu" or self.step in due or len(untold) == CHECK_STEPS:
                loss = self.share.summed(torch.stack(untold).mean()).item()
                untold = []
                if not math.isfinite(loss):
                    raise Diverged(self.step / self.steps_per_epoch, self.step)
            yield self._report(loss, due=self.step in due)

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on from here; like torch's, it shares memory with the net."""
        return {
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "random_cpu": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Stand where a training of the same spec and data stood; on the CPU it goes on to the bit as that one did."""
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
        self._begun = True
        torch.set_rng_state(state["random_cpu"].cpu())
        if self.device.type == "cuda" and state["random_cuda"] is not None:
            torch.cuda.set_rng_state(state["random_cuda"].cpu(), self.device)

    def evaluate(self, split: Split) -> Evaluation:
        """Loss and accuracy on all clean images of the split, in eval mode; NaN where it has none."""
        if not self.counts[split]:
            return Evaluation(math.nan, math.nan)
        loss = torch.zeros((), dtype=torch.float64, device=self.device)
        right = torch.zeros((), dtype=torch.int64, device=self.device)
        with evaluating(self.net):
            for images, labels in self.feed.clean_batches(split, self.evaluation_batch, self.share):
                logits = self._logits(self.net, self.normalise(images))
                loss += F.cross_entropy(logits, labels, reduction="sum")
                right += (logits.argmax(1) == labels).sum()
        self.share.summed(loss)
        self.share.summed(right)
        return Evaluation(loss.item() / self.counts[split], right.item() / self.counts[split])

    def probe_images(self, indices: Int64[Tensor, " images"]) -> Float[Tensor, "images channels height width"]:
        """Training images as the net sees them without augmentation."""
        return self.normalise(self.feed.images(indices))

    def normalise(
        self, images: UInt8[Tensor, "images channels height width"]
    ) -> Float[Tensor, "images channels height width"]:
        pixels = images.to(torch.float32, memory_format=torch.channels_last)
        return pixels.mul_(self.scale).add_(self.shift)

    def _batches(self) -> Iterator[tuple[Float[Tensor, "batch channels height width"], Int64[Tensor, " batch"]]]:
        """The batches that are left, from the middle of an epoch on if need be."""
        for epoch in range(self.step // self.steps_per_epoch, self.spec.epochs):
            done = self.step % self.steps_per_epoch
            wanted = Epoch(self.spec.seed, epoch, self.batch_sizes, done, self.spec.augmentation, self.share)
            for images, labels in self.feed.batches(wanted):
                yield self.normalise(images), labels

    def _update(self, images: Float[Tensor, "batch channels height width"], labels: Int64[Tensor, " batch"]) -> Tensor:
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.spec, self.step, self.steps_per_epoch)
        if not self.net.training:
            self.net.train()
        loss = self._loss(images, labels)
        self.optimiser.zero_grad(set_to_none=True)
        # Gradients are averaged over the processes, while the whole batch's loss is the sum of theirs.
        (loss if self.share.alone else loss * self.share.processes).backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return loss.detach()

    def _loss(self, images: Float[Tensor, "batch channels height width"], labels: Int64[Tensor, " batch"]) -> Tensor:
        """The batch's mean loss, or this process's part of it."""
        smoothing = self.spec.label_smoothing
        if self.share.alone:
            return F.cross_entropy(self._logits(self._for(len(images)), images), labels, label_smoothing=smoothing)
        whole = self.batch_sizes[self.step % self.steps_per_epoch]
        with WholeDropout(self.share, whole):
            logits = self._logits(self._trained, images)
        return F.cross_entropy(logits, labels, reduction="sum", label_smoothing=smoothing) / whole

    def _for(self, images: int) -> nn.Module:
        """The net for a batch of so many. For the rest of an epoch nothing is compiled: that takes longer than it."""
        if self._compiled is None or images != self.spec.batch_size:
            return self._trained
        return self._compiled

    def _logits(
        self, net: nn.Module, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes"]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.spec.precision == "bf16"):
            logits: Tensor = net(images)
        return logits.float()

    def _report(self, loss: float | None, due: bool) -> Step:
        epoch, within = divmod(self.step, self.steps_per_epoch)
        images = epoch * self.counts["train"] + within * self.batch_sizes[0]  # all but the last one are equal
        lr = learning_rate(self.spec, max(self.step - 1, 0), self.steps_per_epoch)
        return Step(self.step, self.step / self.steps_per_epoch, lr, images, loss, due)


def choose_device(name: DeviceKind, share: Share = ALONE) -> torch.device:
    """The device to train on; auto is the GPU where there is one, of several processes each has its own.

    Raises ValueError for a GPU that is not there.
    """
    if name is DeviceKind.CUDA and not torch.cuda.is_available():
        raise ValueError("the run asks for device cuda, but this machine has no CUDA GPU that torch can use.")
    if name is DeviceKind.CPU or not torch.cuda.is_available():
        return torch.device("cpu")
    if share.processes > torch.cuda.device_count():
        raise ValueError(
            f"the run asks for {share.processes} devices, but this worker has {torch.cuda.device_count()} GPUs; "
            "set devices to at most that many."
        )
    return torch.device("cuda") if share.alone else torch.device("cuda", share.rank)


def batch_sizes(images: int, batch_size: int, least: int = 1) -> list[int]:
    """How an epoch is cut: full batches and the rest, which joins the last one where it has fewer than `least`."""
    sizes = [batch_size] * (images // batch_size)
    rest = images % batch_size
    if sizes and 0 < rest < least:
        sizes[-1] += rest
    elif rest:
        sizes.append(rest)
    return sizes


def recording_steps(spec: RunSpec, steps_per_epoch: int) -> list[int]:
    """The steps after which a recording is made, ascending, 0 and the last one among them.

    The log-spaced ones lie on a grid from 1 to the last step; where another recording is made at the same step, they
    move to the next free one. Where there are fewer free steps than are asked for, all are taken.
    """
    last = spec.epochs * steps_per_epoch
    every = spec.recordings.every_epochs * steps_per_epoch
    steps = {0, *range(every, last + 1, every), last}
    count = min(spec.recordings.log_spaced, last + 1 - len(steps))
    for wanted in np.geomspace(1, last, count + 1)[:-1].round().astype(int).tolist():
        later = (step for step in range(wanted, last) if step not in steps)
        earlier = (step for step in range(wanted, 0, -1) if step not in steps)
        steps.add(next(later, None) or next(earlier))
    return sorted(steps)


def learning_rate(spec: RunSpec, step: int, steps_per_epoch: int) -> float:
    """The rate of the update that follows `step` earlier ones."""
    lr, schedule = spec.optimiser.lr, spec.lr_schedule
    if schedule.kind == "cosine":
        return _along_cosine(lr, 0.0, step / (spec.epochs * steps_per_epoch))
    if schedule.kind == "one_cycle":
        return _one_cycle(lr, schedule.warm_up, step, spec.epochs * steps_per_epoch)
    passed = sum(milestone <= step // steps_per_epoch for milestone in spec.decays)
    return lr * schedule.gamma**passed


def _one_cycle(peak: float, warm_up: float, step: int, steps: int) -> float:
    """As torch's OneCycleLR has it, which counts the first and the last step as the ends of the two phases."""
    first, last = peak / ONE_CYCLE_RISE, peak / ONE_CYCLE_RISE / ONE_CYCLE_FALL
    top = warm_up * steps - 1
    if step <= top:
        return _along_cosine(first, peak, step / top if top else 1.0)
    return _along_cosine(peak, last, (step - top) / (steps - 1 - top))


def _along_cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
