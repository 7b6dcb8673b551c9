"""Path overlap against distance in data space (Sec. 6.4; Fig. 4)."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from sqlalchemy.orm import Session

from backend import artifacts, codec
from backend.correlation import Correlation, correlate
from backend.errors import NotFound
from backend.schemas import Measure, Quantity
from backend.series import OverlapAgainstDistance
from backend.services.recordings import list_images
from backend.services.runs import get_run
from backend.services.statistics import array_at, arrays_over_time


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


class Box(NamedTuple):
    """A part of the plane of distance and overlap; both ends belong to it."""

    distance: tuple[float, float] = (-np.inf, np.inf)
    overlap: tuple[float, float] = (-np.inf, np.inf)


class PairsInside(NamedTuple):
    """The pairs in a box that are closest in data space, and how many there are in it."""

    total: int
    image: Int[ndarray, " pairs"]
    other: Int[ndarray, " pairs"]
    distance: Float[ndarray, " pairs"]
    overlap: Float[ndarray, " pairs"] | Int[ndarray, " pairs"]


def pairs_inside(
    session: Session,
    run_id: int,
    quantity: Quantity,
    layer: int,
    t: int,
    box: Box,
    limit: int,
    same_label: bool | None = None,
    images: Collection[int] = (),
) -> PairsInside:
    """The pairs whose distance and overlap lie in the box: of one label, of two, or of any, and of these images.

    Undefined ones are in no box. Raises NotFound.
    """
    found = overlap_against_distance(session, run_id, quantity, layer, t)
    labels = np.array([image.label for image in list_images(session, run_id)])
    i, j = np.triu_indices(len(labels), k=1)
    inside = np.ones(len(found.distance), dtype=bool) if same_label is None else (labels[i] == labels[j]) == same_label
    for image in images:
        inside &= (i == image) | (j == image)
    for values, (low, high) in ((found.distance, box.distance), (found.overlap, box.overlap)):
        inside &= (values >= low) & (values <= high)
    places = np.flatnonzero(inside)
    nearest = places[np.argsort(found.distance[places], kind="stable")][:limit]
    return PairsInside(len(places), i[nearest], j[nearest], found.distance[nearest], found.overlap[nearest])


def correlations_over_time(session: Session, run_id: int, quantity: Quantity, layer: int) -> Correlations:
    """How overlap and distance go together at every recording. Raises NotFound."""
    recordings, overlaps = arrays_over_time(session, run_id, Measure.CLOSENESS, quantity, layer)
    distance = distances(session, run_id)
    return Correlations(recordings, [_correlate(overlap, distance) for overlap in overlaps])


def _correlate(overlap: ndarray, distance: ndarray) -> Correlation:
    return correlate(overlap, distance, ("overlap", "distance"))
