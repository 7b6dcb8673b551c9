"""How every probe image stands at one recording; null is undefined."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.api.arrays import answer, with_nulls
from backend.api.deps import INVALID, NOT_FOUND, Reading, RunId
from backend.schemas import Quantity
from backend.services import answers, overview


class StatesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    layer: int = Field(ge=1, lt=2**31, description="k, from 1")
    quantity: Quantity = Quantity.PATH
    recording: int = Field(ge=0, lt=2**31, description="t, from 0")


class StatesOut(BaseModel):
    """One entry per image."""

    recording: int
    predicted: list[int | None] = Field(description="the class that the net takes it for")
    loss: list[float | None] = Field(description="cross-entropy with its label, in nats")
    self_similarity: list[float | None]
    churn: list[float | None] = Field(description="share of its 6 nearest that are new since the recording before")
    cross_path: list[float | None] = Field(description="mean over its pairs with all others")
    class_names: dict[int, str]


router = APIRouter(prefix="/runs/{run_id:int}", tags=["statistics"], responses=NOT_FOUND | INVALID)


@router.get("/image-states", response_class=Response, responses={200: {"model": StatesOut}})
def get_image_states(run_id: RunId, query: Annotated[StatesQuery, Query()], session: Reading) -> Response:
    """What the net says of each probe image, and how much its path has changed since the recording before."""
    found = overview.image_states(session, run_id, query.quantity, query.layer, query.recording)
    names = {str(label): name for label, name in answers.class_names(session, run_id).items()}
    return answer(found._asdict() | {"predicted": with_nulls(found.predicted), "class_names": names})
