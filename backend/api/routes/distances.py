"""How far apart the probe images are in data space, and path overlap against it; null is an undefined number."""

import math
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.api.arrays import answer
from backend.api.deps import INVALID, NOT_FOUND, Reading, RunId
from backend.correlation import Correlation
from backend.schemas import Quantity
from backend.services import distances


class OverlapQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    layer: int = Field(ge=1, lt=2**31, description="k, from 1")
    quantity: Quantity = Quantity.PATH
    recording: int | None = Field(default=None, ge=0, lt=2**31, description="t, from 0")


class PairsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    layer: int = Field(ge=1, lt=2**31, description="k, from 1")
    quantity: Quantity = Quantity.PATH
    recording: int = Field(ge=0, lt=2**31, description="t, from 0")
    distance_from: float | None = Field(default=None, description="both ends belong to the range; left out: any")
    distance_to: float | None = None
    overlap_from: float | None = None
    overlap_to: float | None = None
    image: int | None = Field(default=None, ge=0, lt=2**31, description="only pairs of this image; left out: of any")
    other: int | None = Field(default=None, ge=0, lt=2**31, description="and of this one")
    same_label: bool | None = Field(default=None, description="true: of one label; false: of two; left out: of any")
    limit: int = Field(default=30, ge=1, le=1000, description="at most so many")


class PairsOut(BaseModel):
    total: int = Field(description="how many pairs there are")
    image: list[int] = Field(description="i of each, the closest in data space first")
    other: list[int]
    distance: list[float]
    overlap: list[float]


class DistancesOut(BaseModel):
    """Pairs are in the order (0, 1), (0, 2), …, (0, N-1), (1, 2), …"""

    distance: list[float] = Field(description="‖x_i − x_j‖₂ of the pixels in [0, 1]")


class OverlapOut(BaseModel):
    """At a recording the pairs, ordered as the distances are, and two coefficients; else these over training."""

    layer: int
    quantity: Quantity
    recording: int | None = None
    overlap: list[Any] | None = Field(default=None, description="units that both have on, or activation similarity")
    distance: list[float] | None = None
    recordings: list[int] | None = Field(default=None, description="t of each row of what follows")
    pairs: int | list[int] = Field(description="how many pairs are defined")
    pearson: float | list[float | None] | None = None
    spearman: float | list[float | None] | None = None
    reason: str | list[str | None] | None = Field(default=None, description="why there are no coefficients")


router = APIRouter(
    prefix="/runs/{run_id:int}",
    tags=["statistics"],
    responses=NOT_FOUND | INVALID,
    default_response_class=Response,
)


@router.get("/distances", responses={200: {"model": DistancesOut}})
def get_distances(run_id: RunId, session: Reading) -> Response:
    """The distance of every pair of probe images, before normalisation and augmentation."""
    return answer({"distance": distances.distances(session, run_id)})


@router.get("/overlap", responses={200: {"model": OverlapOut}})
def get_overlap(run_id: RunId, query: Annotated[OverlapQuery, Query()], session: Reading) -> Response:
    """Path overlap against distance in data space (Sec. 6.4): is the one a linear function of the other?"""
    place = (session, run_id, query.quantity, query.layer)
    asked = query.model_dump(mode="json", exclude_none=True)
    if query.recording is not None:
        found = distances.overlap_against_distance(*place, query.recording)
        pairs = {"overlap": found.overlap, "distance": found.distance}
        return answer(asked | pairs | found.correlation._asdict())
    over_time = distances.correlations_over_time(*place)
    coefficients = {name: [getattr(one, name) for one in over_time.correlations] for name in Correlation._fields}
    return answer(asked | {"recordings": over_time.recordings} | coefficients)


@router.get("/overlap/pairs", responses={200: {"model": PairsOut}})
def get_pairs_inside(run_id: RunId, query: Annotated[PairsQuery, Query()], session: Reading) -> Response:
    """Which pairs have this distance and this overlap? The closest in data space come first."""
    box = distances.Box(_range(query.distance_from, query.distance_to), _range(query.overlap_from, query.overlap_to))
    images = [image for image in (query.image, query.other) if image is not None]
    place = (session, run_id, query.quantity, query.layer, query.recording)
    return answer(distances.pairs_inside(*place, box, query.limit, query.same_label, images)._asdict())


def _range(low: float | None, high: float | None) -> tuple[float, float]:
    return (-math.inf if low is None else low, math.inf if high is None else high)
