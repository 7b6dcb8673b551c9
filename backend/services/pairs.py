"""Two probe images and what they have to do with each other, over training in one layer, or in every layer at once."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import codec
from backend.errors import FieldError, InvalidInput
from backend.models import LayerArray
from backend.schemas import Measure, Quantity, Recorded
from backend.series import LayerRows, PairCourse, PairLayers
from backend.services.recordings import list_layers
from backend.services.runs import check_run
from backend.services.statistics import arrays_over_time, check_image, check_recording, ranks_of


def pair_course(session: Session, run_id: int, quantity: Quantity, layer: int, image: int, partner: int) -> PairCourse:
    """Raises NotFound, and InvalidInput for one image twice."""
    images = _check_pair(session, run_id, image, partner)
    recordings, arrays = arrays_over_time(session, run_id, Measure.CLOSENESS, quantity, layer)
    rows = np.array([_two_rows(pairs, images, image, partner) for pairs in arrays]).reshape(-1, 2, images)
    rank, back = ranks_of(rows)[:, 0, partner], ranks_of(rows)[:, 1, image]
    return PairCourse(recordings, rows[:, 0, partner], rank, back, images - 1)


def pair_layers(session: Session, run_id: int, quantity: Quantity, t: int, image: int, partner: int) -> PairLayers:
    """Raises NotFound, and InvalidInput for one image twice."""
    images = _check_pair(session, run_id, image, partner)
    check_recording(session, run_id, t)
    layers = [layer.k for layer in list_layers(session, run_id)]
    query = select(LayerArray.measure, LayerArray.k, LayerArray.data).where(
        LayerArray.run_id == run_id,
        LayerArray.measure.in_((Measure.CROSS_PATH, Measure.CLOSENESS)),
        LayerArray.quantity == Recorded(quantity),
        LayerArray.k.in_(layers),
        LayerArray.t == t,
    )
    found = {(measure, k): codec.decode(data) for measure, k, data in session.execute(query)}
    cross, closeness = np.full(len(layers), np.nan), np.full(len(layers), np.nan)
    rank, back = np.full(len(layers), -1), np.full(len(layers), -1)
    for n, k in enumerate(layers):
        if (pairs := found.get((Measure.CROSS_PATH, k))) is not None:
            cross[n] = _two_rows(pairs, images, image, partner)[0, partner]
        if (pairs := found.get((Measure.CLOSENESS, k))) is not None:
            rows = _two_rows(pairs, images, image, partner)
            closeness[n], rank[n], back[n] = rows[0, partner], ranks_of(rows)[0, partner], ranks_of(rows)[1, image]
    return PairLayers(np.array(layers, dtype=np.int64), cross, closeness, rank, back)


def pair_over_training(
    session: Session, run_id: int, measure: Measure, quantity: Quantity, image: int, partner: int
) -> LayerRows:
    """Cross-path similarity or closeness of both images, a row per layer; NaN where undefined or not recorded.

    Raises NotFound, and InvalidInput for one image twice.
    """
    images = _check_pair(session, run_id, image, partner)
    layers = [layer.k for layer in list_layers(session, run_id)]
    place = codec.pair_positions(image, images)[partner - (partner > image)]
    query = select(LayerArray.k, LayerArray.t, LayerArray.data).where(
        LayerArray.run_id == run_id, LayerArray.measure == measure, LayerArray.quantity == Recorded(quantity)
    )
    found = {(k, t): float(codec.decode(data)[place]) for k, t, data in session.execute(query)}
    recordings = sorted({t for _, t in found})
    values = np.array([[found.get((k, t), np.nan) for t in recordings] for k in layers], dtype=np.float64)
    return LayerRows(np.array(layers, dtype=np.int64), np.array(recordings, dtype=np.int64), values)


def _two_rows(pairs: ndarray, images: int, first: int, second: int) -> Float[ndarray, "2 images"]:
    """What both images have with every image, NaN with themselves."""
    rows = np.full((2, images), np.nan)
    for row, image in zip(rows, (first, second), strict=True):
        row[np.arange(images) != image] = pairs[codec.pair_positions(image, images)]
    return rows


def _check_pair(session: Session, run_id: int, image: int, partner: int) -> int:
    check_run(session, run_id)
    check_image(session, run_id, partner)
    if image == partner:
        raise InvalidInput([FieldError("partner", partner, "a pair needs two different images")])
    return check_image(session, run_id, image)
