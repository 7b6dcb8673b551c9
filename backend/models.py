"""The tables. One row of `runs` is the truth about a run; everything else hangs on it and goes with it."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Enum, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.db import Base
from backend.schemas import Measure, Quantity, Recorded, RunStatus

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
BigId = BigInteger().with_variant(Integer(), "sqlite")


def _enum(kind: type) -> Enum:
    return Enum(
        kind, native_enum=False, length=20, values_callable=lambda members: [member.value for member in members]
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
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    net: Mapped[str] = mapped_column(String(200))
    dataset: Mapped[str] = mapped_column(String(200))
    spec: Mapped[dict[str, Any]] = mapped_column(Json)
    status: Mapped[RunStatus] = mapped_column(_enum(RunStatus), default=RunStatus.QUEUED)
    reason: Mapped[str | None] = mapped_column(String(2000))
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    attempt: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None] = mapped_column(String(32))
    worker: Mapped[str | None] = mapped_column(String(200))
    heartbeat_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]

    progress: Mapped[dict[str, Any] | None] = mapped_column(Json)
    last_recording: Mapped[int | None]
    last_event: Mapped[int] = mapped_column(default=0)

    tags: Mapped[list["RunTag"]] = relationship(lazy="raise", cascade="all, delete-orphan", passive_deletes=True)


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
    """Recording t: the state of training at that time. Recording 0 is before the first update."""

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


class Worker(Base):
    """A worker that has been heard of, by the name it bears in Celery."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    device: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
