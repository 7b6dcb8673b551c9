"""What was recorded, row by row: recordings, layers, probe images and the raw paths."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from backend import codec
from backend.api.deps import INVALID, NOT_FOUND, ImageIndex, Reading, RunId
from backend.schemas import ImageOut, LayerOut, Quantity, RecordingOut
from backend.services import recordings, statistics

router = APIRouter(prefix="/runs/{run_id:int}", tags=["recordings"], responses=NOT_FOUND | INVALID)


class PathsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    layer: int = Field(ge=1, lt=2**31, description="k, from 1")
    recording: int = Field(ge=0, lt=2**31, description="t, from 0")


@router.get("/recordings")
def list_recordings(run_id: RunId, session: Reading) -> list[RecordingOut]:
    """Every recording so far, oldest first."""
    return recordings.list_recordings(session, run_id)


@router.get("/layers")
def list_layers(run_id: RunId, session: Reading) -> list[LayerOut]:
    """The net's ReLU layers in the order of one forward pass."""
    return recordings.list_layers(session, run_id)


@router.get("/images")
def list_images(run_id: RunId, session: Reading) -> list[ImageOut]:
    """The probe images."""
    return recordings.list_images(session, run_id)


@router.get("/images/{i}.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def get_image(run_id: RunId, i: ImageIndex, session: Reading) -> Response:
    """Probe image i in its own size."""
    png = recordings.image_png(session, run_id, i)
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=31536000, immutable"})


@router.get("/paths", response_class=Response, responses={200: {"content": {"application/x-npy": {}}}})
def get_paths(run_id: RunId, query: Annotated[PathsQuery, Query()], session: Reading) -> Response:
    """The raw paths of a layer: a `.npy` of uint8, one row an image, eight units to a byte, unit 0 in the lowest bit.

    `numpy.unpackbits(array, axis=1, count=units, bitorder="little")` gives the N × D matrix of 0 and 1.
    """
    statistics.check_layer(session, run_id, Quantity.PATH, query.layer)
    statistics.check_recording(session, run_id, query.recording)
    packed = recordings.packed_paths(session, run_id, query.layer, query.recording)
    name = f"run{run_id}-layer{query.layer}-recording{query.recording}.npy"
    return Response(
        codec.to_npy(packed),
        media_type="application/x-npy",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
