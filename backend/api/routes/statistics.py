"""Cross-path similarity, self-similarity, neighbours and image functions as JSON; null is an undefined number.

Each answers three questions: without `image` and `recording` how the measure is spread over training, with `recording`
all of its values at that time, with `image` the values of that image over training (or at that `recording`).
"""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from backend.api.arrays import answer, with_nulls
from backend.api.deps import INVALID, NOT_FOUND, Reading, RunId
from backend.errors import FieldError, InvalidInput
from backend.schemas import Measure, Quantity, Recorded
from backend.services import statistics
from backend.services.statistics import Distribution
from backend.summary import QUANTILES


class LayerQuery(BaseModel):
    """Which layer, and which part of what there is of it."""

    model_config = ConfigDict(extra="forbid")

    layer: int = Field(ge=1, lt=2**31, description="k, from 1")
    recording: int | None = Field(default=None, ge=0, lt=2**31, description="t, from 0")
    image: int | None = Field(default=None, ge=0, lt=2**31, description="i, from 0")


class StatisticQuery(LayerQuery):
    quantity: Quantity = Quantity.PATH


class PairQuery(StatisticQuery):
    other: int | None = Field(default=None, ge=0, lt=2**31, description="j, from 0; needs image")


class ImageFunctionQuery(LayerQuery):
    kind: Literal["self", "cross"] = Field(description="self: t against t - 1; cross: one image against another")
    other: int | None = Field(default=None, ge=0, lt=2**31, description="j, from 0; needs image and kind cross")


class NeighbourQuery(PairQuery):
    k: int = Field(default=6, ge=1, le=2048, description="how many of the nearest")
    spread: Literal["churn", "label_agreement"] = Field(
        default="churn", description="what the distribution over training is of, without image and recording"
    )


class StatisticOut(BaseModel):
    """What was asked, and the arrays; which of the arrays stand here depends on the question."""

    layer: int
    quantity: Quantity | None = None
    kind: Literal["self", "cross"] | None = None
    image: int | None = None
    other: int | None = None
    recording: int | None = None
    recordings: list[int] | None = Field(default=None, description="t of each row of the other arrays")
    values: list[Any] | float | None = Field(default=None, description="similarities; null is undefined")
    closeness: list[Any] | float | None = Field(default=None, description="overlap (units) or activation similarity")
    ranks: list[Any] | int | None = Field(default=None, description="0 is the nearest; null has no rank")
    nearest: list[Any] | None = Field(default=None, description="the k nearest images, nearest first")
    churn: list[float | None] | float | None = Field(default=None, description="share of the k nearest that are new")
    label_agreement: list[float | None] | float | None = Field(
        default=None, description="share of the k nearest that bear the image's own label"
    )
    defined: list[int] | None = None
    undefined: list[int] | None = Field(default=None, description="how many values are undefined")
    mean: list[float | None] | None = None
    std: list[float | None] | None = None
    quantile_levels: list[float] | None = None
    quantiles: list[list[float | None]] | None = None
    histogram: list[list[int]] | None = Field(
        default=None, description="100 equal bins of [0, 1]; of image functions, of [-1, 1]"
    )


router = APIRouter(
    prefix="/runs/{run_id:int}",
    tags=["statistics"],
    responses=NOT_FOUND | INVALID | {200: {"model": StatisticOut}},
    default_response_class=Response,
)


@router.get("/cross-path")
def get_cross_path(run_id: RunId, query: Annotated[PairQuery, Query()], session: Reading) -> Response:
    """Cross-path similarity (Sec. 6.1): do two images meet on the same units as at the recording before?"""
    _check_other(query)
    return _pairs(session, run_id, query, Measure.CROSS_PATH, query.quantity)


@router.get("/self-similarity")
def get_self_similarity(run_id: RunId, query: Annotated[StatisticQuery, Query()], session: Reading) -> Response:
    """Self-similarity (Sec. 7): does one image take the same path as at the recording before?"""
    return _images(session, run_id, query, query.quantity)


@router.get("/neighbours")
def get_neighbours(run_id: RunId, query: Annotated[NeighbourQuery, Query()], session: Reading) -> Response:
    """Neighbour ranks (Sec. 8): which images are closest to one image, and how does that change?

    The distribution over training is that of the churn: for each image the share of its k nearest that are new; or,
    with `spread=label_agreement`, of the share that bear its label.
    """
    place = (session, run_id, query.quantity, query.layer)
    _check_other(query)
    if query.image is not None:
        rows = statistics.neighbours_of_image(*place, query.image, query.k)
        arrays = rows._asdict()
        return _answer(query, **_select(session, run_id, query, arrays.pop("recordings"), **arrays))
    if query.recording is not None:
        ranks = statistics.ranks_at(*place, query.recording)
        return _answer(query, ranks=ranks, nearest=statistics.nearest_of(ranks, query.k))
    spread = {"churn": statistics.churn_distribution, "label_agreement": statistics.label_agreement_distribution}
    return _spread(query, spread[query.spread](*place, query.k))


@router.get("/image-function")
def get_image_function(run_id: RunId, query: Annotated[ImageFunctionQuery, Query()], session: Reading) -> Response:
    """Image functions (Eqs. 3, 10): the cosine of what single images would add to the weights of a layer.

    Runs record it that are submitted with `image_function` among their quantities.
    """
    if query.kind == "self":
        if query.other is not None:
            raise InvalidInput([FieldError("other", query.other, "an image has a partner only with kind cross")])
        return _images(session, run_id, query, Recorded.IMAGE_FUNCTION)
    _check_other(query)
    return _pairs(session, run_id, query, Measure.CLOSENESS, Recorded.IMAGE_FUNCTION)


def _pairs(
    session: Session, run_id: int, query: LayerQuery, measure: Measure, quantity: Quantity | Recorded
) -> Response:
    place = (session, run_id, measure, quantity, query.layer)
    if query.image is not None:
        rows = statistics.pairs_of_image(*place, query.image)
        return _answer(query, **_select(session, run_id, query, rows.recordings, values=rows.values))
    if query.recording is not None:
        return _answer(query, values=statistics.pair_matrix(*place, query.recording))
    return _spread(query, statistics.distribution(*place))


def _images(session: Session, run_id: int, query: LayerQuery, quantity: Quantity | Recorded) -> Response:
    if query.image is None and query.recording is None:
        place = (session, run_id, Measure.SELF_SIMILARITY, quantity, query.layer)
        return _spread(query, statistics.distribution(*place))
    rows = statistics.self_similarity_of_images(session, run_id, quantity, query.layer)
    if query.image is not None:
        statistics.check_image(session, run_id, query.image)
    values = rows.values if query.image is None else rows.values[:, query.image]
    return _answer(query, **_select(session, run_id, query, rows.recordings, values=values))


def _check_other(query: PairQuery | ImageFunctionQuery) -> None:
    if query.other is None:
        return
    if query.image is None:
        raise InvalidInput([FieldError("other", query.other, "a partner needs the image that it is compared with")])
    if query.image == query.other:
        raise InvalidInput([FieldError("other", query.other, "a pair needs two different images")])


def _select(
    session: Session, run_id: int, query: LayerQuery, recordings: np.ndarray, **arrays: np.ndarray
) -> dict[str, Any]:
    """Of arrays with one row a recording, the rows and, for a partner, the column that the query asks for."""
    other = getattr(query, "other", None)
    if other is not None:
        statistics.check_image(session, run_id, other)
        arrays = {name: array[:, other] for name, array in arrays.items() if name in ("values", "closeness", "ranks")}
    if query.recording is None:
        return {"recordings": recordings, **arrays}
    statistics.check_recording(session, run_id, query.recording, first=int(recordings[0]) if len(recordings) else 0)
    row = int(np.flatnonzero(recordings == query.recording)[0])
    return {name: array[row] for name, array in arrays.items()}


def _spread(query: LayerQuery, spread: Distribution) -> Response:
    return _answer(query, quantile_levels=list(QUANTILES), **spread._asdict())


def _answer(query: LayerQuery, **arrays: Any) -> Response:
    body = {name: value for name, value in dict(query).items() if value is not None}
    for name, array in arrays.items():
        body[name] = with_nulls(array) if name in ("ranks", "nearest") else array
    return answer(body)
