"""What the net says of the probe images along earlier paths; null is undefined, or a path that is yet to come."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.api.arrays import answer
from backend.api.deps import INVALID, NOT_FOUND, Reading, RunId
from backend.services import projections


class ProjectionQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image: int | None = Field(default=None, ge=0, lt=2**31, description="i, from 0; left out: the mean over images")


class ProjectionOut(BaseModel):
    image: int | None = None
    recordings: list[int] = Field(description="s of each row (paths) and t of each column (weights)")
    loss: list[list[float | None]] = Field(description="cross-entropy along p^s on the weights of t")
    accuracy: list[list[float | None]] = Field(description="share of images classified rightly; of one image 1 or 0")
    undefined: list[list[int]] = Field(description="how many images have no finite loss")


router = APIRouter(prefix="/runs/{run_id:int}", tags=["statistics"], responses=NOT_FOUND | INVALID)


@router.get("/projection", response_class=Response, responses={200: {"model": ProjectionOut}})
def get_projection(run_id: RunId, query: Annotated[ProjectionQuery, Query()], session: Reading) -> Response:
    """Projection p^s | H_t (Eq. 9): what would the net say today along the paths of an earlier recording?

    Runs record it that are submitted with `projection` among their quantities.
    """
    if query.image is None:
        found = projections.mean_over_images(session, run_id)
    else:
        found = projections.of_image(session, run_id, query.image)
    return answer(query.model_dump(exclude_none=True) | found._asdict())
