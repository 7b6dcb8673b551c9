"""The tables. One row of `runs` is the truth about a run; everything else hangs on it and goes with it."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Enum, ForeignKey, Index, Integer, LargeBinary, String, Text, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.db import Base
from backend.schemas import DeliveryState, DeviceKind, Measure, Quantity, Recorded, RunStatus, TokenScope

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
BigId = BigInteger().with_variant(Integer(), "sqlite")


def _enum(kind: type, length: int = 20) -> Enum:
    return Enum(
        kind, native_enum=False, length=length, values_callable=lambda members: [member.value for member in members]
    )


def now() -> datetime:
    return datetime.now(UTC)


def run_key() -> Mapped[int]:
    return mapped_column(BigId, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


class Run(Base):
    """A training run: what was asked (spec), how far it is, and who may write to it (lease)."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_status", "status"),
        Index("ix_runs_updated_at", "updated_at"),
        Index("ix_runs_name", "name", "id"),
        Index("ix_runs_net", "net", "id"),
        Index("ix_runs_dataset", "dataset", "id"),
        Index("ix_runs_sweep_id", "sweep_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    net: Mapped[str] = mapped_column(String(200))
    dataset: Mapped[str] = mapped_column(String(200))
    spec: Mapped[dict[str, Any]] = mapped_column(Json)
    notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    status: Mapped[RunStatus] = mapped_column(_enum(RunStatus), default=RunStatus.QUEUED)
    reason: Mapped[str | None] = mapped_column(String(2000))
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    # Of the spec that came with the key: the run's own changes when it is extended.
    submitted_digest: Mapped[str | None] = mapped_column(String(64))
    submitted_by: Mapped[str | None] = mapped_column(String(100))

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    attempt: Mapped[int] = mapped_column(default=0)
    lost_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    lease: Mapped[str | None] = mapped_column(String(32))
    worker: Mapped[str | None] = mapped_column(String(200))
    heartbeat_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    pause_requested_at: Mapped[datetime | None]

    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    device: Mapped[DeviceKind] = mapped_column(_enum(DeviceKind, 10), default=DeviceKind.AUTO, server_default="auto")
    # No foreign key: SQLite could never drop such a column again, and sweeps are not deleted.
    sweep_id: Mapped[int | None] = mapped_column(BigId)

    progress: Mapped[dict[str, Any] | None] = mapped_column(Json)
    last_recording: Mapped[int | None]
    last_event: Mapped[int] = mapped_column(default=0)

    tags: Mapped[list["RunTag"]] = relationship(lazy="raise", cascade="all, delete-orphan", passive_deletes=True)


class Sweep(Base):
    """Runs that were submitted together: what was asked for all of them. They name it in `sweep_id`."""

    __tablename__ = "sweeps"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    request: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(default=now)


class RunTag(Base):
    __tablename__ = "run_tags"
    __table_args__ = (Index("ix_run_tags_tag", "tag"),)

    run_id: Mapped[int] = run_key()
    tag: Mapped[str] = mapped_column(String(100), primary_key=True)


class Event(Base):
    """What happened to a run, numbered 1, 2, … without gaps in the order of the commits."""

    __tablename__ = "events"

    run_id: Mapped[int] = run_key()
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(default=now)


class LogLine(Base):
    """A line that the trainer printed."""

    __tablename__ = "log_lines"

    run_id: Mapped[int] = run_key()
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(4000))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Layer(Base):
    """Layer k of the run's net: the k-th ReLU call of one forward pass, from 1."""

    __tablename__ = "layers"

    run_id: Mapped[int] = run_key()
    k: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(50))
    units: Mapped[int]
    shape: Mapped[list[int]] = mapped_column(Json)


class ProbeImage(Base):
    """Probe image i of the run, from 0: where in the training set it stands and what it shows."""

    __tablename__ = "probe_images"

    run_id: Mapped[int] = run_key()
    i: Mapped[int] = mapped_column(primary_key=True)
    dataset_index: Mapped[int]
    label: Mapped[int]
    class_name: Mapped[str] = mapped_column(String(200))


class Recording(Base):
    """Recording t: the state of training at that time. Recording 0 is before the first update.

    `attempt` made it; its files lie in a folder of that attempt, so that no other one can overwrite them.
    """

    __tablename__ = "recordings"

    run_id: Mapped[int] = run_key()
    t: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[float]
    step: Mapped[int]
    lr: Mapped[float]
    train_loss: Mapped[float | None]
    train_accuracy: Mapped[float | None]
    test_loss: Mapped[float | None]
    test_accuracy: Mapped[float | None]
    seconds: Mapped[float]
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=now)


class LayerSummary(Base):
    """The distribution of one measure over the pairs (or images) of a layer at a recording."""

    __tablename__ = "layer_summaries"

    run_id: Mapped[int] = run_key()
    measure: Mapped[Measure] = mapped_column(_enum(Measure), primary_key=True)
    quantity: Mapped[Recorded] = mapped_column(_enum(Recorded), primary_key=True)
    k: Mapped[int] = mapped_column(primary_key=True)
    t: Mapped[int] = mapped_column(primary_key=True)
    defined: Mapped[int]
    undefined: Mapped[int]
    mean: Mapped[float | None]
    std: Mapped[float | None]
    quantiles: Mapped[list[float] | None] = mapped_column(Json)
    histogram: Mapped[list[int]] = mapped_column(Json)


class RunRatio(Base):
    """The early-to-mid ratio of a run over its layers, and in `layers` that of each; as of its newest recording."""

    __tablename__ = "run_ratios"

    run_id: Mapped[int] = run_key()
    quantity: Mapped[Quantity] = mapped_column(_enum(Quantity), primary_key=True)
    early: Mapped[float | None]
    mid: Mapped[float | None]
    ratio: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(String(500))
    complete: Mapped[bool]
    layers: Mapped[list[dict[str, Any]]] = mapped_column(Json)


class LayerArray(Base):
    """Every value of one measure in a layer at a recording, as `backend.codec` packs them."""

    __tablename__ = "layer_arrays"

    run_id: Mapped[int] = run_key()
    measure: Mapped[Measure] = mapped_column(_enum(Measure), primary_key=True)
    quantity: Mapped[Recorded] = mapped_column(_enum(Recorded), primary_key=True)
    k: Mapped[int] = mapped_column(primary_key=True)
    t: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Projection(Base):
    """What the net of recording t says of the probe images along their paths of recording s ≤ t.

    `data` holds two rows (`backend.codec`): the loss of each image, and 1 where it is classified rightly, else 0.
    """

    __tablename__ = "projections"

    run_id: Mapped[int] = run_key()
    t: Mapped[int] = mapped_column(primary_key=True)
    s: Mapped[int] = mapped_column(primary_key=True)
    loss: Mapped[float | None]
    accuracy: Mapped[float | None]
    undefined: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Answer(Base):
    """What the net of recording t says of each probe image: a class (int32) and a loss (float32), `backend.codec`.

    Of an image whose loss is not finite the class is -1 and the loss NaN.
    """

    __tablename__ = "answers"

    run_id: Mapped[int] = run_key()
    t: Mapped[int] = mapped_column(primary_key=True)
    predicted: Mapped[bytes] = mapped_column(LargeBinary)
    loss: Mapped[bytes] = mapped_column(LargeBinary)


class ClassName(Base):
    """What the dataset of the run calls a class."""

    __tablename__ = "class_names"

    run_id: Mapped[int] = run_key()
    label: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class Worker(Base):
    """A worker that has been heard of, by the name it bears in Celery."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    device: Mapped[str] = mapped_column(String(200))
    host: Mapped[str] = mapped_column(String(200), default="", server_default="")
    slots: Mapped[int] = mapped_column(default=1, server_default="1")
    has_gpu: Mapped[bool] = mapped_column(default=False, server_default=false())
    load: Mapped[dict[str, Any] | None] = mapped_column(Json)
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]


class Token(Base):
    """A token that lets its bearer in. Of the token itself only the SHA-256 is kept; `id` is that hash's beginning.

    Rows stay when a token is revoked: a server that ever had a token never opens again by itself.
    """

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))
    scope: Mapped[TokenScope] = mapped_column(_enum(TokenScope))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class Webhook(Base):
    """An address that hears when a run ends, or, with `run_id`, when this run does; `secret` signs what it gets."""

    __tablename__ = "webhooks"
    __table_args__ = (Index("ix_webhooks_run_id", "run_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("runs.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(String(2000))
    secret: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(default=now)


class WebhookDelivery(Base):
    """A message for a webhook, written with the end of the run that it tells of; the server that claims it sends it.

    A test of a webhook for every run tells of none.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_webhook_id", "webhook_id"),
        Index("ix_webhook_deliveries_state", "state"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(BigId, ForeignKey("webhooks.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(BigId)
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[DeliveryState] = mapped_column(_enum(DeliveryState), default=DeliveryState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    response: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(default=now)
    attempted_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]

    @property
    def type(self) -> str:
        """What it tells of."""
        return str(self.payload["type"])
