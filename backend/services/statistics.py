"""Path statistics as arrays: what REST serves and what the figures draw. NaN where a value is undefined.

Axes: `recordings` are the T recordings that have the measure, in order of t; `images` are all N probe images.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from backend import codec
from backend.errors import NotFound
from backend.models import LayerArray, LayerSummary
from backend.schemas import LayerOut, Measure, Quantity, Recorded
from backend.series import Distribution, ImageRows, LayerRows, Neighbours
from backend.services.recordings import count_images, list_images, list_layers, times_of
from backend.services.runs import recorded_quantities
from backend.summary import HISTOGRAM_BINS, QUANTILES, Summary, summarise

__all__ = ["Distribution", "ImageRows", "LayerRows", "Neighbours"]


def distribution(
    session: Session, run_id: int, measure: Measure, quantity: Quantity | Recorded, layer: int
) -> Distribution:
    """Cross-path similarity over all pairs, or self-similarity over all images, of a layer. Raises NotFound."""
    check_layer(session, run_id, quantity, layer)
    query = select(LayerSummary).where(
        LayerSummary.run_id == run_id,
        LayerSummary.measure == measure,
        LayerSummary.quantity == Recorded(quantity),
        LayerSummary.k == layer,
    )
    rows = session.scalars(query.order_by(LayerSummary.t)).all()
    return distribution_of(
        [row.t for row in rows], [Summary(*(getattr(row, name) for name in Summary._fields)) for row in rows]
    )


def pair_matrix(
    session: Session, run_id: int, measure: Measure, quantity: Quantity | Recorded, layer: int, t: int
) -> Float[ndarray, "images images"]:
    """Cross-path similarity or closeness of all pairs at recording t; NaN on the diagonal. Raises NotFound."""
    pairs = array_at(session, run_id, measure, quantity, layer, t)
    return codec.from_pairs(pairs.astype(np.float64))


def pairs_of_image(
    session: Session, run_id: int, measure: Measure, quantity: Quantity | Recorded, layer: int, image: int
) -> ImageRows:
    """Cross-path similarity or closeness of one image with every other over training. Raises NotFound."""
    images = check_image(session, run_id, image)
    recordings, arrays = arrays_over_time(session, run_id, measure, quantity, layer)
    positions = codec.pair_positions(image, images)
    values = np.full((len(recordings), images), np.nan)
    values[:, np.arange(images) != image] = np.array([pairs[positions] for pairs in arrays]).reshape(-1, images - 1)
    return ImageRows(recordings, values)


def self_similarity_of_images(session: Session, run_id: int, quantity: Quantity | Recorded, layer: int) -> ImageRows:
    """Self-similarity of every image in one layer over training. Raises NotFound."""
    images = count_images(session, run_id)
    recordings, arrays = arrays_over_time(session, run_id, Measure.SELF_SIMILARITY, quantity, layer)
    return ImageRows(recordings, np.array(arrays, dtype=np.float64).reshape(-1, images))


def self_similarity_of_image(session: Session, run_id: int, quantity: Quantity | Recorded, image: int) -> LayerRows:
    """Self-similarity of one image in every layer over training. Raises NotFound."""
    check_image(session, run_id, image)
    layers = [layer.k for layer in list_layers(session, run_id)]
    check_layer(session, run_id, quantity, layers[0])
    query = select(LayerArray.t, LayerArray.data).where(*_of(run_id, Measure.SELF_SIMILARITY, quantity))
    rows = session.execute(query.order_by(LayerArray.k, LayerArray.t)).all()
    # Every recording has all layers, as one transaction writes them.
    recordings = np.unique(np.array([t for t, _ in rows], dtype=np.int64))
    values = np.array([codec.decode(data)[image] for _, data in rows], dtype=np.float64)
    return LayerRows(np.array(layers, dtype=np.int64), recordings, values.reshape(len(layers), len(recordings)))


def neighbours_of_image(
    session: Session, run_id: int, quantity: Quantity | Recorded, layer: int, image: int, count: int = 6
) -> Neighbours:
    """Who is close to one image, and how close, over training. Raises NotFound."""
    rows = pairs_of_image(session, run_id, Measure.CLOSENESS, quantity, layer, image)
    ranks = ranks_of(rows.values)
    nearest = nearest_of(ranks, count)
    agreement = label_agreement(nearest, _labels(session, run_id), np.array(image))
    return Neighbours(rows.recordings, rows.values, ranks, nearest, _churn(nearest), agreement)


def ranks_at(
    session: Session, run_id: int, quantity: Quantity | Recorded, layer: int, t: int
) -> Int[ndarray, "images others"]:
    """Row j holds the rank of every image among the neighbours of image j at recording t. Raises NotFound."""
    return ranks_of(pair_matrix(session, run_id, Measure.CLOSENESS, quantity, layer, t))


def churn_distribution(
    session: Session, run_id: int, quantity: Quantity | Recorded, layer: int, count: int = 6
) -> Distribution:
    """The share of the nearest that are new since the recording before, spread over all images. Raises NotFound."""
    recordings, nearest = _nearest_over_time(session, run_id, quantity, layer, count)
    churn = [_churn(nearest[:, j])[1:] for j in range(nearest.shape[1])]
    values = np.array(churn, dtype=np.float64).reshape(nearest.shape[1], len(recordings[1:])).T
    return distribution_of(recordings[1:].tolist(), [summarise(row) for row in values])


def label_agreement_distribution(
    session: Session, run_id: int, quantity: Quantity | Recorded, layer: int, count: int = 6
) -> Distribution:
    """The share of the nearest that bear the image's own label, spread over all images. Raises NotFound."""
    recordings, nearest = _nearest_over_time(session, run_id, quantity, layer, count)
    agreement = label_agreement(nearest, _labels(session, run_id), np.arange(nearest.shape[1]))
    return distribution_of(recordings.tolist(), [summarise(row) for row in agreement])


def _nearest_over_time(
    session: Session, run_id: int, quantity: Quantity | Recorded, layer: int, count: int
) -> tuple[Int[ndarray, " recordings"], Int[ndarray, "recordings images count"]]:
    recordings, arrays = arrays_over_time(session, run_id, Measure.CLOSENESS, quantity, layer)
    nearest = [nearest_at(codec.from_pairs(pairs.astype(np.float64)), count) for pairs in arrays]
    return recordings, np.array(nearest) if nearest else np.empty((0, 0, count), dtype=np.int64)


def ranks_of(closeness: Float[ndarray, "... images"]) -> Int[ndarray, "... images"]:
    """Rank along the last axis, 0 for the largest; ties go to the smaller index, NaN gets -1 (Sec. 8)."""
    order = np.argsort(np.where(np.isnan(closeness), np.inf, -closeness), axis=-1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(order.shape[-1]), order.shape), axis=-1)
    return np.where(np.isnan(closeness), -1, ranks)


def nearest_of(ranks: Int[ndarray, "... images"], count: int) -> Int[ndarray, "... count"]:
    """The images of rank 0 to count-1, in that order; -1 where there is none of that rank."""
    last = np.iinfo(np.int64).max
    order = np.argsort(np.where(ranks < 0, last, ranks), axis=-1, kind="stable")[..., :count]
    return np.where(np.take_along_axis(ranks, order, axis=-1) < 0, -1, order)


def nearest_at(closeness: Float[ndarray, "... images"], count: int) -> Int[ndarray, "... count"]:
    """The images of rank 0 to count-1 by closeness, without the ranks of all others; -1 where there is none."""
    order = np.argsort(np.where(np.isnan(closeness), np.inf, -closeness), axis=-1, kind="stable")[..., :count]
    return np.where(np.isnan(np.take_along_axis(closeness, order, axis=-1)), -1, order)


def label_agreement(
    nearest: Int[ndarray, "... count"], labels: Int[ndarray, " images"], images: Int[ndarray, "..."]
) -> Float[ndarray, "..."]:
    """The share of the images in `nearest` that bear the label of the image whose neighbours they are; NaN of none."""
    known = nearest >= 0
    same = known & (labels[nearest] == labels[images][..., None])
    count = known.sum(axis=-1)
    return np.where(count > 0, same.sum(axis=-1) / np.maximum(count, 1), np.nan)


def check_layer(session: Session, run_id: int, quantity: Quantity | Recorded, layer: int) -> LayerOut:
    """The layer, if the run has it and records the quantity. Raises NotFound that names what exists."""
    quantities = recorded_quantities(session, run_id)
    if Recorded(quantity) not in quantities:
        raise NotFound(f"run {run_id} records {', '.join(quantities)}, not {quantity}")
    layers = list_layers(session, run_id)
    if not 1 <= layer <= len(layers):
        exist = f"layers 1 to {len(layers)}" if layers else "no layers yet"
        raise NotFound(f"run {run_id} has {exist}, not layer {layer}")
    return layers[layer - 1]


def check_image(session: Session, run_id: int, image: int) -> int:
    """How many probe images the run has, if `image` is one of them. Raises NotFound that names what exists."""
    images = count_images(session, run_id)
    if not 0 <= image < images:
        exist = f"probe images 0 to {images - 1}" if images else "no probe images yet"
        raise NotFound(f"run {run_id} has {exist}, not image {image}")
    return images


def check_recording(session: Session, run_id: int, t: int, first: int = 0) -> None:
    """Raises NotFound that names what exists, unless recording t was made and is not before `first`."""
    made = [made for made in times_of(session, run_id) if made >= first]
    if t not in made:
        exist = f"recordings {made[0]} to {made[-1]}" if made else "no such recordings yet"
        raise NotFound(f"run {run_id} has {exist} of this, not recording {t}")


def array_at(
    session: Session, run_id: int, measure: Measure, quantity: Quantity | Recorded, layer: int, t: int
) -> ndarray:
    """The values of a measure as they are stored, of pairs or of images, at recording t. Raises NotFound."""
    check_layer(session, run_id, quantity, layer)
    check_recording(session, run_id, t, first=0 if measure is Measure.CLOSENESS else 1)
    data = session.scalar(_arrays(run_id, measure, quantity, layer, LayerArray.data).where(LayerArray.t == t))
    if data is None:
        raise NotFound(f"run {run_id} has no {measure} of layer {layer} at recording {t}")
    return codec.decode(data)


def arrays_over_time(
    session: Session, run_id: int, measure: Measure, quantity: Quantity | Recorded, layer: int
) -> tuple[Int[ndarray, " recordings"], list[ndarray]]:
    """The recordings that have the measure, and the values of each as they are stored. Raises NotFound."""
    check_layer(session, run_id, quantity, layer)
    query = _arrays(run_id, measure, quantity, layer, LayerArray.t, LayerArray.data).order_by(LayerArray.t)
    rows = session.execute(query).all()
    return np.array([t for t, _ in rows], dtype=np.int64), [codec.decode(data) for _, data in rows]


def _arrays(run_id: int, measure: Measure, quantity: Quantity | Recorded, layer: int, *columns: Any) -> Select[Any]:
    return select(*columns).where(*_of(run_id, measure, quantity), LayerArray.k == layer)


def _of(run_id: int, measure: Measure, quantity: Quantity | Recorded) -> tuple[ColumnElement[bool], ...]:
    return (
        LayerArray.run_id == run_id,
        LayerArray.measure == measure,
        LayerArray.quantity == Recorded(quantity),
    )


def _labels(session: Session, run_id: int) -> Int[ndarray, " images"]:
    return np.array([image.label for image in list_images(session, run_id)], dtype=np.int64)


def _churn(nearest: Int[ndarray, "recordings count"]) -> Float[ndarray, " recordings"]:
    churn = np.full(len(nearest), np.nan)
    for n in range(1, len(nearest)):
        known = nearest[n][nearest[n] >= 0]
        if len(known):
            churn[n] = np.mean(~np.isin(known, nearest[n - 1]))
    return churn


def distribution_of(recordings: list[int], summaries: list[Summary]) -> Distribution:
    """The summaries of these recordings as arrays."""
    no_quantiles = [None] * len(QUANTILES)
    return Distribution(
        recordings=np.array(recordings, dtype=np.int64),
        defined=np.array([one.defined for one in summaries], dtype=np.int64),
        undefined=np.array([one.undefined for one in summaries], dtype=np.int64),
        mean=np.array([one.mean for one in summaries], dtype=np.float64),
        std=np.array([one.std for one in summaries], dtype=np.float64),
        quantiles=np.array([one.quantiles or no_quantiles for one in summaries], float).reshape(-1, len(QUANTILES)),
        histogram=np.array([one.histogram for one in summaries], dtype=np.int64).reshape(-1, HISTOGRAM_BINS),
    )
