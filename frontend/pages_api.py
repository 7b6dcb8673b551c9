"""What the pages of a run ask REST for besides figures: its facts, and the neighbours that an image page follows."""

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from backend.api.deps import INVALID, NOT_FOUND, ImageIndex, RunId
from backend.db import read_scope
from backend.schemas import Quantity
from backend.series import Neighbours
from backend.services import statistics
from backend.services.versions import version_of
from frontend.components.facts import Facts, read_facts
from frontend.figures.look import gaps
from frontend.kept import answer


class FollowedOut(TypedDict):
    """Who was nearest to an image at each recording, and what became of everyone who ever was.

    `nearest[t]` are the nearest six, closest first; ranks and closeness are keyed by image, as text, with an entry per
    recording.
    """

    recordings: list[int]
    nearest: list[list[int]]
    ranks: dict[str, list[int]]
    closeness: dict[str, list[float | None]]
    churn: list[float | None]


class FollowedQuery(BaseModel):
    layer: int = Field(ge=1, lt=2**31, description="the layer's k, from 1")
    quantity: Quantity = Quantity.PATH


router = APIRouter(prefix="/runs/{run_id:int}", tags=["figures"], responses=NOT_FOUND | INVALID)


@router.get("/facts", response_class=Response, responses={200: {"model": Facts}})
def get_facts(run_id: RunId, request: Request) -> Response:
    """What figures need to know of a run. Its `version` changes whenever there is more to draw."""
    with read_scope() as session:
        version = version_of(session, run_id)
    return answer(request, (run_id, "facts"), version, lambda: json.dumps(read_facts(run_id)).encode())


@router.get("/images/{image}/followed", response_class=Response, responses={200: {"model": FollowedOut}})
def get_followed(
    run_id: RunId, image: ImageIndex, query: Annotated[FollowedQuery, Query()], request: Request
) -> Response:
    """The nearest neighbours of an image at each recording, followed through all of training."""
    with read_scope() as session:
        version = version_of(session, run_id)

    def make() -> bytes:
        with read_scope() as session:
            data = statistics.neighbours_of_image(session, run_id, query.quantity, query.layer, image)
        return json.dumps(followed(data)).encode()

    return answer(request, (run_id, "followed", image, query.layer, query.quantity), version, make)


def followed(data: Neighbours) -> FollowedOut:
    """Ranks and closeness of every image that is ever among the nearest."""
    ever = sorted({int(image) for image in data.nearest.ravel() if image >= 0})
    return FollowedOut(
        recordings=data.recordings.tolist(),
        nearest=data.nearest.tolist(),
        ranks={str(image): data.ranks[:, image].tolist() for image in ever},
        closeness={str(image): gaps(data.closeness[:, image]) for image in ever},
        churn=gaps(data.churn),
    )
