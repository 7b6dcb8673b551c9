"""Path overlap against distance in data space (Sec. 6.4; Fig. 4)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from sqlalchemy.orm import Session

from backend import artifacts, codec
from backend.correlation import Correlation, correlate
from backend.errors import NotFound
from backend.schemas import Measure, Quantity
from backend.services.runs import get_run
from backend.services.statistics import array_at, arrays_over_time


class OverlapAgainstDistance(NamedTuple):
    """Both of every pair, in the order of `codec.to_pairs`, and how they go together."""

    overlap: Float[ndarray, " pairs"] | Int[ndarray, " pairs"]
    distance: Float[ndarray, " pairs"]
    correlation: Correlation


class Correlations(NamedTuple):
    """How overlap and distance go together at each recording."""

    recordings: Int[ndarray, " recordings"]
    correlations: list[Correlation]


def distances(session: Session, run_id: int) -> Float[ndarray, " pairs"]:
    """The distance of every pair of probe images, pixels in [0, 1]. Raises NotFound."""
    run = get_run(session, run_id)
    data = artifacts.read_distances(run_id)
    if data is None:
        why = "they are stored when the run begins" if run.last is None else "it began before they were stored"
        raise NotFound(f"run {run_id} has no distances of its probe images: {why}")
    return np.asarray(codec.decode(data))


def overlap_against_distance(
    session: Session, run_id: int, quantity: Quantity, layer: int, t: int
) -> OverlapAgainstDistance:
    """Path overlap (or the similarity of activations) at recording t beside the distance. Raises NotFound."""
    overlap = array_at(session, run_id, Measure.CLOSENESS, quantity, layer, t)
    distance = distances(session, run_id)
    return OverlapAgainstDistance(overlap, distance, _correlate(overlap, distance))


def correlations_over_time(session: Session, run_id: int, quantity: Quantity, layer: int) -> Correlations:
    """How overlap and distance go together at every recording. Raises NotFound."""
    recordings, overlaps = arrays_over_time(session, run_id, Measure.CLOSENESS, quantity, layer)
    distance = distances(session, run_id)
    return Correlations(recordings, [_correlate(overlap, distance) for overlap in overlaps])


def _correlate(overlap: ndarray, distance: ndarray) -> Correlation:
    return correlate(overlap, distance, ("overlap", "distance"))
