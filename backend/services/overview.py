"""All layers at a glance, and how every probe image stands at one recording."""

from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import codec
from backend.models import LayerSummary
from backend.schemas import Measure, Quantity, Recorded
from backend.series import ImageStates, LayerDistributions, LayerRows
from backend.services.answers import answers
from backend.services.recordings import list_layers
from backend.services.statistics import (
    array_at,
    check_layer,
    distribution_of,
    nearest_of,
    ranks_of,
)
from backend.summary import QUANTILES, Summary

NEAREST = 6


def distributions_of_layers(
    session: Session, run_id: int, measure: Measure, quantity: Quantity | Recorded
) -> LayerDistributions:
    """How the measure is spread in each layer, in one query. Raises NotFound."""
    columns = [getattr(LayerSummary, name) for name in Summary._fields]
    rows = _rows(session, run_id, measure, quantity, *columns)
    found = [
        distribution_of([row[1] for row in of_layer], [Summary(*row[2:]) for row in of_layer])
        for of_layer in (list(group) for _, group in groupby(rows, key=lambda row: row[0]))
    ]
    return LayerDistributions(_layers(rows), found)


def medians_of_layers(session: Session, run_id: int, measure: Measure, quantity: Quantity | Recorded) -> LayerRows:
    """The median of the measure in each layer at each recording. Raises NotFound."""
    rows = _rows(session, run_id, measure, quantity, LayerSummary.quantiles)
    middle = QUANTILES.index(0.5)
    return _layer_rows([(k, t, None if quantiles is None else quantiles[middle]) for k, t, quantiles in rows])


def means_of_layers(session: Session, run_id: int, measure: Measure, quantity: Quantity | Recorded) -> LayerRows:
    """The mean of the measure in each layer at each recording. Raises NotFound."""
    return _layer_rows(_rows(session, run_id, measure, quantity, LayerSummary.mean))


def image_states(session: Session, run_id: int, quantity: Quantity, layer: int, t: int) -> ImageStates:
    """How every probe image stands at recording t; similarities compare with t - 1. Raises NotFound."""
    found = answers(session, run_id, t)
    nothing = np.full(len(found.labels), np.nan)
    known = len(found.recordings) > 0
    predicted, loss = (found.predicted[0], found.loss[0]) if known else (np.full(len(nothing), -1), nothing)
    if t == 0:
        check_layer(session, run_id, quantity, layer)
        return ImageStates(t, predicted, loss, nothing, nothing, nothing)
    place = (quantity, layer, t)
    across = codec.from_pairs(array_at(session, run_id, Measure.CROSS_PATH, *place).astype(np.float64))
    alone = array_at(session, run_id, Measure.SELF_SIMILARITY, *place).astype(np.float64)
    now, before = (_nearest(session, run_id, quantity, layer, when) for when in (t, t - 1))
    return ImageStates(t, predicted, loss, alone, _churn(now, before), _mean_of_defined(across))


def _nearest(session: Session, run_id: int, quantity: Quantity, layer: int, t: int) -> Int[ndarray, "images count"]:
    pairs = array_at(session, run_id, Measure.CLOSENESS, quantity, layer, t).astype(np.float64)
    return nearest_of(ranks_of(codec.from_pairs(pairs)), NEAREST)


def _churn(now: Int[ndarray, "images count"], before: Int[ndarray, "images count"]) -> Float[ndarray, " images"]:
    """The share of the nearest that are new; NaN for an image without any."""
    known = now >= 0
    fresh = known & ~(now[:, :, None] == before[:, None, :]).any(axis=2)
    count = known.sum(axis=1)
    return np.where(count > 0, fresh.sum(axis=1) / np.maximum(count, 1), np.nan)


def _mean_of_defined(matrix: Float[ndarray, "images images"]) -> Float[ndarray, " images"]:
    known = ~np.isnan(matrix)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, matrix, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _rows(
    session: Session, run_id: int, measure: Measure, quantity: Quantity | Recorded, *columns: Any
) -> list[tuple[Any, ...]]:
    """Layer, recording and these columns, by layer and recording. Raises NotFound."""
    layers = list_layers(session, run_id)
    if layers:
        check_layer(session, run_id, quantity, 1)
    query = select(LayerSummary.k, LayerSummary.t, *columns).where(
        LayerSummary.run_id == run_id,
        LayerSummary.measure == measure,
        LayerSummary.quantity == Recorded(quantity),
    )
    return [tuple(row) for row in session.execute(query.order_by(LayerSummary.k, LayerSummary.t))]


def _layers(rows: list[tuple[Any, ...]]) -> Int[ndarray, " layers"]:
    return np.unique(np.array([row[0] for row in rows], dtype=np.int64))


def _layer_rows(rows: list[tuple[int, int, float | None]] | list[tuple[Any, ...]]) -> LayerRows:
    """Every recording has all layers, as one transaction writes them."""
    layers, recordings = _layers(rows), np.unique(np.array([row[1] for row in rows], dtype=np.int64))
    values = np.array([row[2] for row in rows], dtype=np.float64).reshape(len(layers), len(recordings))
    return LayerRows(layers, recordings, values)
