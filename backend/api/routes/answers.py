"""What the net says of the probe images at each recording; null is undefined."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.api.arrays import answer, with_nulls
from backend.api.deps import INVALID, NOT_FOUND, Reading, RunId
from backend.services import answers


class AnswersQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    recording: int | None = Field(default=None, ge=0, lt=2**31, description="t, from 0; left out: all of them")
    image: int | None = Field(default=None, ge=0, lt=2**31, description="i, from 0; left out: all of them")


class AnswersOut(BaseModel):
    recording: int | None = None
    image: int | None = None
    recordings: list[int] = Field(description="t of each row of what follows")
    labels: list[int] = Field(description="the label of each column's image")
    predicted: list[list[int | None]] = Field(description="the class of the largest logit")
    loss: list[list[float | None]] = Field(description="cross-entropy with the label, in nats")
    class_names: dict[int, str] = Field(description="empty for a run that began before they were stored")


router = APIRouter(prefix="/runs/{run_id:int}", tags=["statistics"], responses=NOT_FOUND | INVALID)


@router.get("/answers", response_class=Response, responses={200: {"model": AnswersOut}})
def get_answers(run_id: RunId, query: Annotated[AnswersQuery, Query()], session: Reading) -> Response:
    """The class that the net takes each probe image for at each recording, and its loss."""
    found = answers.answers(session, run_id, query.recording, query.image)
    names = {str(label): name for label, name in answers.class_names(session, run_id).items()}
    arrays = found._asdict() | {"predicted": with_nulls(found.predicted), "class_names": names}
    return answer(query.model_dump(exclude_none=True) | arrays)
