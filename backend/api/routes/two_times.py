"""How much of a path is left between any two recordings; null is undefined."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.api.arrays import answer
from backend.api.deps import INVALID, NOT_FOUND, Reading, RunId
from backend.services import two_times


class TwoTimesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    layer: int = Field(ge=1, lt=2**31, description="k, from 1")
    image: int | None = Field(default=None, ge=0, lt=2**31, description="i, from 0; left out: the mean over images")


class TwoTimesOut(BaseModel):
    layer: int
    image: int | None = None
    recordings: list[int] = Field(description="s of each row and t of each column")
    values: list[list[float | None]] = Field(description="p^s · p^t / (|p^s| |p^t|)")
    undefined: list[list[int]] = Field(description="how many images are left out")


router = APIRouter(prefix="/runs/{run_id:int}", tags=["statistics"], responses=NOT_FOUND | INVALID)


@router.get("/two-times", response_class=Response, responses={200: {"model": TwoTimesOut}})
def get_two_times(run_id: RunId, query: Annotated[TwoTimesQuery, Query()], session: Reading) -> Response:
    """The similarity of a path at any two recordings: when does it freeze?

    The mean is stored with each recording; the map of one image is computed from its stored paths.
    """
    if query.image is None:
        found = two_times.mean_over_images(session, run_id, query.layer)
    else:
        found = two_times.of_image(session, run_id, query.layer, query.image)
    return answer(query.model_dump(exclude_none=True) | found._asdict())
