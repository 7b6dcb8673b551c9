"""What a trainer writes of a run and what is read back row by row: layers, probe images, recordings, raw paths."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from backend import artifacts, codec
from backend.errors import NotFound
from backend.models import Answer, ClassName, Layer, LayerArray, LayerSummary, ProbeImage, Projection, Recording
from backend.schemas import ImageOut, LayerOut, Measure, Quantity, Recorded, RecordingOut
from backend.services.early_to_mid import store_ratios
from backend.services.events import add_event
from backend.services.leases import Lease, leased_run
from backend.services.runs import check_run, get_run
from backend.summary import Summary

Row = TypeVar("Row")


class LayerMeasure(NamedTuple):
    """One measure of one layer at a recording: every value as stored, and its distribution where it has one."""

    measure: Measure
    quantity: Quantity | Recorded
    k: int
    values: ndarray
    summary: Summary | None


def write_layout(
    session: Session, lease: Lease, layers: list[LayerOut], images: list[ImageOut], class_names: Sequence[str] = ()
) -> None:
    """Store which layers, probe images and classes the run has; a later attempt of it writes the same again."""
    leased_run(session, lease)
    for layer in layers:
        session.merge(Layer(run_id=lease.run_id, **layer.model_dump()))
    for image in images:
        session.merge(ProbeImage(run_id=lease.run_id, **image.model_dump()))
    session.execute(delete(ClassName).where(ClassName.run_id == lease.run_id))
    session.add_all(
        ClassName(run_id=lease.run_id, label=label, name=name[:200]) for label, name in enumerate(class_names)
    )


class ProjectionMeasure(NamedTuple):
    """What the net says of each image along its path of recording s: its loss, and 1 where it is right, else 0.

    Both are NaN for an image whose loss is not finite.
    """

    s: int
    loss: Float[ndarray, " images"]
    right: Float[ndarray, " images"]


class AnswerMeasure(NamedTuple):
    """What the net says of each probe image: its class and its cross-entropy; -1 and NaN where that is not finite."""

    predicted: Int[ndarray, " images"]
    loss: Float[ndarray, " images"]


def write_recording(
    session: Session,
    lease: Lease,
    recording: RecordingOut,
    measures: Sequence[LayerMeasure],
    projections: Sequence[ProjectionMeasure] = (),
    answers: AnswerMeasure | None = None,
) -> None:
    """Store one recording, all of it in the caller's transaction. Raises LeaseLost.

    A later attempt may come to the same t again: what the earlier one stored is replaced, and no event tells twice.
    """
    run = leased_run(session, lease)
    recording = recording.model_copy(update={"attempt": lease.attempt})
    for table in (Recording, LayerArray, LayerSummary, Projection, Answer):
        session.execute(delete(table).where(table.run_id == run.id, table.t == recording.t))
    session.add(Recording(run_id=run.id, **recording.model_dump()))
    for found in measures:
        place = {
            "run_id": run.id,
            "measure": found.measure,
            "quantity": Recorded(found.quantity),
            "k": found.k,
            "t": recording.t,
        }
        session.add(LayerArray(**place, data=codec.encode(found.values)))
        if found.summary is not None:
            session.add(LayerSummary(**place, **found.summary._asdict()))
    session.add_all(_projection(run.id, recording.t, found) for found in projections)
    if answers is not None:
        session.add(_answer(run.id, recording.t, answers))
    store_ratios(session, run)
    if run.last_recording is None or run.last_recording < recording.t:
        run.last_recording = recording.t
        add_event(session, run, "recording", recording.model_dump(mode="json"))


def _projection(run_id: int, t: int, found: ProjectionMeasure) -> Projection:
    known = ~np.isnan(found.loss)
    return Projection(
        run_id=run_id,
        t=t,
        s=found.s,
        loss=float(found.loss[known].mean(dtype=np.float64)) if known.any() else None,
        accuracy=float(found.right[known].mean(dtype=np.float64)) if known.any() else None,
        undefined=int((~known).sum()),
        data=codec.encode(np.stack([found.loss, found.right]).astype(np.float32)),
    )


def _answer(run_id: int, t: int, found: AnswerMeasure) -> Answer:
    predicted, loss = found.predicted.astype(np.int32), found.loss.astype(np.float32)
    return Answer(run_id=run_id, t=t, predicted=codec.encode(predicted), loss=codec.encode(loss))


def list_recordings(session: Session, run_id: int) -> list[RecordingOut]:
    """Every recording so far, oldest first. Raises NotFound."""
    query = select(Recording).where(Recording.run_id == run_id).order_by(Recording.t)
    return [RecordingOut.model_validate(row) for row in _rows(session, run_id, query)]


def attempts(session: Session, run_id: int) -> dict[int, int]:
    """Which attempt made each recording."""
    rows = session.execute(select(Recording.t, Recording.attempt).where(Recording.run_id == run_id)).all()
    return dict(rows)


def list_layers(session: Session, run_id: int) -> list[LayerOut]:
    """The run's ReLU layers in order; empty until the trainer has built the net. Raises NotFound."""
    query = select(Layer).where(Layer.run_id == run_id).order_by(Layer.k)
    return [LayerOut.model_validate(row) for row in _rows(session, run_id, query)]


def list_images(session: Session, run_id: int) -> list[ImageOut]:
    """The run's probe images in order; empty until the trainer has drawn them. Raises NotFound."""
    query = select(ProbeImage).where(ProbeImage.run_id == run_id).order_by(ProbeImage.i)
    return [ImageOut.model_validate(row) for row in _rows(session, run_id, query)]


def count_images(session: Session, run_id: int) -> int:
    """How many probe images the run has; 0 until the trainer has drawn them. Raises NotFound."""
    count = session.scalar(select(func.count()).where(ProbeImage.run_id == run_id)) or 0
    if not count:
        check_run(session, run_id)
    return count


def times_of(session: Session, run_id: int) -> list[int]:
    """Every t so far. Raises NotFound."""
    return _rows(session, run_id, select(Recording.t).where(Recording.run_id == run_id).order_by(Recording.t))


def _rows(session: Session, run_id: int, query: Select[Row]) -> list[Row]:
    """What the query finds of a run; only where that is nothing it has to be asked whether there is such a run."""
    rows = list(session.scalars(query))
    if not rows:
        check_run(session, run_id)
    return rows


def image_png(session: Session, run_id: int, i: int) -> bytes:
    """Probe image i as a PNG of its own size. Raises NotFound."""
    check_run(session, run_id)
    png = artifacts.read_image(run_id, i)
    if png is None:
        raise NotFound(f"run {run_id} has no probe image {i}")
    return png


def packed_paths(session: Session, run_id: int, k: int, t: int) -> UInt8[ndarray, "images bytes"]:
    """The paths of layer k at recording t, eight units to a byte as `codec.pack_paths` orders them. Raises NotFound."""
    run = get_run(session, run_id)
    recording = session.get(Recording, (run_id, t))
    data = artifacts.read_paths(run_id, recording.attempt, t, k) if recording else None
    if data is None:
        raise NotFound(f"run {run_id} has no paths of layer {k} at recording {t}; it keeps paths: {run.spec.paths}")
    return np.asarray(codec.decode(data), dtype=np.uint8)
