"""What API, worker, command line and dashboard say to each other. `RunSpec` describes a run completely."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from backend.run_states import RunCommand
from backend.run_states import RunStatus as RunStatus


class TokenScope(StrEnum):
    """What the bearer of a token may do; each includes those before it."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"

    def includes(self, other: "TokenScope") -> bool:
        order = list(TokenScope)
        return order.index(self) >= order.index(other)


class DeliveryState(StrEnum):
    """How it stands with a message for a webhook."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Quantity(StrEnum):
    """What of a unit is compared: whether it is on, or how strongly."""

    PATH = "path"
    ACTIVATION = "activation"


class Recorded(StrEnum):
    """What a run records: the quantities that are compared unit by unit, and what costs more and is off by default."""

    PATH = "path"
    ACTIVATION = "activation"
    PROJECTION = "projection"
    IMAGE_FUNCTION = "image_function"


class Measure(StrEnum):
    """What is computed of a layer. Closeness is the overlap of paths, or the cosine of activations or image functions.

    Two times is self-similarity between any two recordings; stored of it is the mean over images.
    """

    CROSS_PATH = "cross_path"
    SELF_SIMILARITY = "self_similarity"
    CLOSENESS = "closeness"
    TWO_TIMES = "two_times"


class DeviceKind(StrEnum):
    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return list(Priority).index(self) - 1


class Strict(BaseModel):
    """Unknown keys are errors, numbers must be finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Sgd(Strict):
    kind: Literal["sgd"] = "sgd"
    lr: float = Field(default=0.02, gt=0, le=10, title="Learning rate")
    momentum: float = Field(default=0.9, ge=0, lt=1, title="Momentum")
    nesterov: bool = Field(default=True, validate_default=True, title="Nesterov momentum")
    weight_decay: float = Field(default=5e-4, ge=0, le=1, title="Weight decay")

    @field_validator("nesterov")
    @classmethod
    def _nesterov_needs_momentum(cls, nesterov: bool, info: ValidationInfo) -> bool:
        if nesterov and info.data.get("momentum") == 0:
            raise ValueError("nesterov needs a momentum above 0; set nesterov to false or raise momentum")
        return nesterov


class LrSchedule(Strict):
    """How the rate falls: by gamma after each milestone epoch, along half a cosine to 0, or not at all.

    A one_cycle rises from a 25th of it along half a cosine, and falls to almost 0 (torch's OneCycleLR).
    """

    kind: Literal["milestones", "cosine", "one_cycle", "constant"] = Field(default="milestones", title="Kind")
    milestones: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(default=None, title="Milestones (epochs)")
    """Epochs after which the rate is multiplied by gamma; left out: one half and three quarters of the epochs."""
    gamma: float = Field(default=0.1, gt=0, le=1, title="Gamma")
    """What the rate is multiplied by at each milestone."""
    warm_up: float = Field(default=0.3, gt=0, lt=1, title="Warm-up")
    """Of a one_cycle: the part of all steps in which the rate rises."""

    @field_validator("milestones")
    @classmethod
    def _check_milestones(cls, milestones: tuple[int, ...] | None, info: ValidationInfo) -> tuple[int, ...] | None:
        if milestones is not None and list(milestones) != sorted(set(milestones)):
            raise ValueError(f"milestones must increase, found {list(milestones)}")
        if milestones and info.data.get("kind") in ("cosine", "one_cycle", "constant"):
            raise ValueError(
                f"a {info.data['kind']} schedule has no milestones; leave them out or choose kind milestones"
            )
        return milestones


class Probe(Strict):
    """Which training images are recorded: drawn by count and seed, or named by index."""

    count: int = Field(default=256, ge=2, le=2048, title="Probe images")
    """How many training images are followed."""
    seed: int = Field(default=0, ge=0, lt=2**31, title="Probe seed")
    """Decides which images are drawn."""
    balanced: bool = Field(default=True, title="As many of each class")
    indices: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        default=None, max_length=2048, title="Explicit indices"
    )
    """Positions in the training set; when given, they replace count, seed and balanced."""

    @field_validator("indices")
    @classmethod
    def _distinct(cls, indices: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if indices is not None and len(indices) < 2:
            raise ValueError(f"at least 2 indices are needed to compare images, found {len(indices)}")
        if indices is not None and len(set(indices)) < len(indices):
            repeated = sorted({i for i in indices if indices.count(i) > 1})
            raise ValueError(f"each index may stand once, repeated: {repeated[:5]}")
        return indices

    @property
    def size(self) -> int:
        return len(self.indices) if self.indices is not None else self.count


class Recordings(Strict):
    """When the probe images are recorded, besides recording 0 (before the first update) and the end of the run."""

    every_epochs: int = Field(default=1, ge=1, title="Epochs between recordings")
    """1 records the probe images after every epoch."""
    log_spaced: int = Field(default=0, ge=0, le=200, title="Log-spaced steps")
    """So many further recordings within epochs, at steps spaced evenly on a logarithmic scale from 1 to the last."""
    projection_every: int = Field(default=1, ge=1, title="Recordings between projections")
    """1 projects each recording along the paths of all before it; n takes only every n-th, at 1/n² of the cost."""


# PostgreSQL can store every character but this one.
NO_NUL = r"^[^\x00]*$"
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\s,\x00]+$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=NO_NUL)]
Registered = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]


class RunSpec(Strict):
    """Everything that decides what a run computes, and what it is called."""

    net: Registered = Field(title="Net")
    dataset: Registered = Field(title="Dataset")
    name: Name = Field(default="", title="Name")
    """Left out: net and dataset make the name."""
    tags: tuple[Tag, ...] = Field(default=(), max_length=20, title="Tags")
    """Words to find the run by."""
    notes: str = Field(default="", max_length=20_000, pattern=NO_NUL, title="Notes")
    epochs: int = Field(default=20, ge=1, le=10_000, title="Epochs")
    batch_size: int = Field(default=64, ge=1, le=65_536, title="Batch size")
    optimiser: Sgd = Field(default=Sgd(), title="Optimiser")
    lr_schedule: LrSchedule = Field(default=LrSchedule(), validate_default=True, title="Learning-rate schedule")
    augmentation: Literal["none", "flip_crop"] = Field(default="none", title="Augmentation")
    """How training images are varied; the probe images never are."""
    label_smoothing: float = Field(default=0, ge=0, lt=1, title="Label smoothing")
    """So much of each label is spread over all classes in training; losses that are recorded are without it."""
    seed: int = Field(default=0, ge=0, lt=2**31, title="Seed")
    """Decides the initial weights and the order of the images."""
    probe: Probe = Field(default=Probe(), title="Probe images")
    recordings: Recordings = Field(default=Recordings(), title="Recordings")
    quantities: tuple[Recorded, ...] = Field((Recorded.PATH, Recorded.ACTIVATION), min_length=1, title="Quantities")
    """Whether each unit is on, how strongly, or both. Projections need paths and cost, for R recordings, R²/2 further
    forward passes of the probe images; image functions cost two passes forward and back at each recording, and N²
    multiplications for each weight."""
    paths: Literal["all", "last", "none"] = Field(default="all", title="Packed paths kept once it has completed")
    """When the run has completed: of all recordings, of the last one, or none. What was computed from them stays; one
    image's map over any two recordings needs all."""
    precision: Literal["fp32", "bf16"] = Field(default="fp32", title="Precision")
    device: DeviceKind = Field(default=DeviceKind.AUTO, title="Device")
    """Which workers may train the run: any (on a GPU where there is one), on a CPU, or one with a CUDA GPU."""
    devices: int = Field(default=1, ge=1, le=64, title="Devices")
    """GPUs of one machine, or processes on its CPU, that share each batch; what is recorded stays the same."""
    compile: bool = Field(default=False, title="Compile the net")
    """Train by torch.compile, on one device; needs a C compiler. What is recorded is the net as it was built."""
    priority: Priority = Field(default=Priority.NORMAL, title="Priority")
    """Of the runs that wait, those of the highest priority go first, the earliest submitted among them."""

    @field_validator("tags", "quantities")
    @classmethod
    def _each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(values))

    @field_validator("quantities")
    @classmethod
    def _compare_something(cls, quantities: tuple[Recorded, ...]) -> tuple[Recorded, ...]:
        if Recorded.PROJECTION in quantities and Recorded.PATH not in quantities:
            raise ValueError("projections follow paths; choose path as well")
        if not {Recorded.PATH, Recorded.ACTIVATION} & set(quantities):
            raise ValueError("choose path or activation as well")
        return quantities

    @field_validator("lr_schedule")
    @classmethod
    def _fit_milestones(cls, schedule: LrSchedule, info: ValidationInfo) -> LrSchedule:
        epochs = info.data.get("epochs")
        if schedule.kind != "milestones" or epochs is None:
            return schedule
        if schedule.milestones is None:
            return schedule.model_copy(update={"milestones": tuple(sorted({epochs // 2, epochs * 3 // 4} - {0}))})
        if schedule.milestones and schedule.milestones[-1] >= epochs:
            raise ValueError(
                f"milestone {schedule.milestones[-1]} is not before the last epoch; with epochs {epochs} each must "
                "be below it"
            )
        return schedule

    @field_validator("recordings")
    @classmethod
    def _fit_recordings(cls, recordings: Recordings, info: ValidationInfo) -> Recordings:
        epochs = info.data.get("epochs")
        if epochs is not None and recordings.every_epochs > epochs:
            raise ValueError(f"every_epochs {recordings.every_epochs} is more than the run's epochs ({epochs})")
        return recordings

    @field_validator("devices")
    @classmethod
    def _share_batches(cls, devices: int, info: ValidationInfo) -> int:
        batch_size = info.data.get("batch_size", devices)
        if devices > batch_size:
            raise ValueError(f"{devices} devices cannot share batches of {batch_size}; raise batch_size or use fewer")
        return devices

    @field_validator("compile")
    @classmethod
    def _compile_alone(cls, compiled: bool, info: ValidationInfo) -> bool:
        if compiled and info.data.get("devices", 1) > 1:
            raise ValueError("a compiled net is trained on one device; set devices to 1, or compile to false")
        return compiled

    @property
    def compared(self) -> tuple[Quantity, ...]:
        """The quantities that are compared unit by unit."""
        return tuple(quantity for quantity in Quantity if Recorded(quantity) in self.quantities)

    @property
    def decays(self) -> tuple[int, ...]:
        """Epochs after which the learning rate falls by a step; empty for schedules without steps."""
        falls = self.lr_schedule.kind == "milestones" and self.lr_schedule.gamma < 1
        return (self.lr_schedule.milestones or ()) if falls else ()


class Progress(BaseModel):
    """How far a running trainer is; `seconds_left` is an estimate, None while there is nothing to estimate from."""

    phase: Literal["starting", "loading", "training", "recording", "finishing"] = "starting"
    epoch: float = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    recorded: int = 0
    recordings: int = 0
    images_per_second: float | None = None
    seconds_left: float | None = None


class RecordingOut(BaseModel):
    """Recording t; losses and accuracies are those of all clean training or test images in eval mode.

    A loss that is not finite is None.
    """

    model_config = ConfigDict(from_attributes=True)

    t: int
    epoch: float
    step: int
    lr: float
    train_loss: float | None
    train_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    seconds: float
    attempt: int = Field(default=0, description="the attempt at the run that made it")
    created_at: datetime


class LayerOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    k: int
    name: str
    kind: str
    units: int
    shape: list[int]


class ImageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    i: int
    dataset_index: int
    label: int
    class_name: str


class RunOut(BaseModel):
    """A run as lists and pages show it."""

    id: int
    name: str
    status: RunStatus
    reason: str | None
    spec: RunSpec = Field(description="as it was submitted")
    tags: tuple[str, ...] = Field(default=(), description="those of the spec, and what became of them since")
    notes: str = Field(default="", description="those of the spec, and what became of them since")
    attempt: int
    lost_attempts: int = Field(default=0, description="attempts whose worker or trainer was lost")
    worker: str | None
    submitted_by: str | None = Field(default=None, description="name of the token that it was submitted with")
    sweep: int | None = Field(description="the sweep that made it")
    cancel_requested: bool
    pause_requested: bool
    possible: tuple[RunCommand, ...] = Field(description="what can be done to it now")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    progress: Progress | None
    last: RecordingOut | None = Field(description="the newest recording")


class RunPage(BaseModel):
    runs: list[RunOut]
    matching: int = Field(description="how many runs there are on all pages together")
    next_cursor: str | None = Field(description="pass it as `cursor` to get the next page; null on the last one")
    previous_cursor: str | None = Field(default=None, description="the same for the page before; null on the first")


class RunEdit(Strict):
    """What of a run can be changed after it was submitted; what is left out stays."""

    name: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_NUL)] | None
    ) = None
    tags: tuple[Tag, ...] | None = Field(default=None, max_length=20)
    notes: str | None = Field(default=None, max_length=20_000, pattern=NO_NUL)


class EventOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    number: int
    kind: Literal["status", "recording", "warning"]
    data: dict[str, Any]
    created_at: datetime


class LogLineOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    number: int
    text: str
    created_at: datetime


class TokenOut(BaseModel):
    """A token as it may be shown; its value is not kept."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    scope: TokenScope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
