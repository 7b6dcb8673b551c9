"""Figures over REST: the list, each as Plotly's JSON, and as files. Behind the API's own routes on the same app."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from backend.api.deps import CONFLICT, INVALID, NOT_FOUND, Responses, RunId
from backend.api.problems import Problem
from backend.db import read_scope
from backend.errors import AppError
from backend.services.versions import RunVersion, version_of
from frontend.components.facts import Facts, read_facts
from frontend.kept import answer
from frontend.views import files
from frontend.views.choice import scene_of
from frontend.views.registry import VIEWS, view_called
from frontend.views.view import Chosen, Scene, View

Format = Literal["json", "table", "csv", "parquet", "html", "svg", "png"]

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "table": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
}
NO_BROWSER: Responses = {503: {"model": Problem, "description": "no browser on the server's machine to draw pictures"}}


class FileQuery(BaseModel):
    """As what a figure is wanted."""

    format: Format = Field(default="json", description="json is Plotly's figure, table its numbers as JSON")
    scheme: Literal["light", "dark"] = "light"
    width: int = Field(default=900, ge=100, le=4000, description="of a picture, in pixels")
    height: int | None = Field(default=None, ge=100, le=4000, description="of a picture; left out: as on the page")
    rows: int | None = Field(default=None, ge=1, description="of a table, at most so many; left out: all")


class FigureQuery(FileQuery, Chosen):
    """What is to be seen, and as what; a figure takes only the parameters that the list names for it."""


class ParameterOut(BaseModel):
    name: str
    required: bool
    values: list[str] | None = Field(default=None, description="what it can be, where that is a short list")


class FigureOut(BaseModel):
    name: str
    title: str
    shows: str = Field(description="what one sees, in a sentence")
    definition: str = Field(description="the formula, and how to read it")
    section: str = Field(description="where the paper has it")
    parameters: list[ParameterOut]
    available: bool
    reason: str | None = Field(description="why this run does not have it, or not yet")


class TableOut(BaseModel):
    columns: list[str]
    rows: list[list[Any]]
    total: int = Field(description="how many rows there are, of which `rows` may be the first few")


router = APIRouter(prefix="/runs/{run_id:int}/figures", tags=["figures"], responses=NOT_FOUND | INVALID)


@router.get("")
def list_figures(run_id: RunId) -> list[FigureOut]:
    """Every figure, what it takes, and whether this run has it."""
    facts = read_facts(run_id)
    return [_listed(view, facts) for view in VIEWS.values()]


@router.get(
    "/{name}",
    response_class=Response,
    responses=CONFLICT
    | NO_BROWSER
    | {200: {"description": "the figure", "content": {kind.split(";")[0]: {} for kind in MEDIA_TYPES.values()}}},
)
def get_figure(run_id: RunId, name: str, query: Annotated[FigureQuery, Query()], request: Request) -> Response:
    """One figure: as Plotly's JSON, as a picture, as a page that stands alone, or the numbers behind it.

    Pictures are drawn by a Chromium on the server's machine. Plotly's JSON has an ETag, which changes with the run.
    """
    asked = Chosen.model_validate(query.model_dump(include=set(Chosen.model_fields)))
    if query.format == "json":
        return _figure(run_id, name, asked, query.scheme, request)
    view = view_called(name)
    scene = scene_of(view, read_facts(run_id), asked, query.scheme)
    with read_scope() as session:
        data = view.read(session, scene)
    content = _WRITE[query.format](view, data, scene, query)
    headers = {"Cache-Control": "no-store"}
    if query.format != "table":
        headers["Content-Disposition"] = f'attachment; filename="{_file_name(run_id, name, asked)}.{query.format}"'
    return Response(content, media_type=MEDIA_TYPES[query.format], headers=headers)


def _file_name(run_id: int, name: str, asked: Chosen) -> str:
    """As in "run1-cross-path-layer4-path": what was asked for tells files apart."""
    chosen = asked.model_dump(mode="json", exclude_none=True)
    words = [f"{key}{value}" if isinstance(value, int) else value for key, value in chosen.items()]
    return "-".join([f"run{run_id}", name, *(re.sub(r"[^\w.-]", "_", word) for word in words)])


def _figure(run_id: int, name: str, asked: Chosen, scheme: Literal["light", "dark"], request: Request) -> Response:
    with read_scope() as session:
        version = version_of(session, run_id)
    return answer(request, (run_id, name, asked, scheme), version, lambda: _drawn(run_id, name, asked, scheme, version))


def _drawn(run_id: int, name: str, asked: Chosen, scheme: Literal["light", "dark"], version: RunVersion) -> bytes:
    view = view_called(name)
    facts = _facts(run_id, version) if version.newest else read_facts(run_id)
    scene = scene_of(view, facts, asked, scheme)
    with read_scope() as session:
        data = view.read(session, scene)
    return view.draw(data, scene).to_json()


@lru_cache(maxsize=20)
def _facts(run_id: int, _version: RunVersion) -> Facts:
    """Every figure of a page asks for them; from the first recording on, they change with the version alone."""
    return read_facts(run_id)


def _table(view: View, data: Any, scene: Scene, query: FigureQuery) -> bytes:
    return files.json_of(view.table(data, scene), query.rows)


def _picture(view: View, data: Any, scene: Scene, query: FigureQuery) -> bytes:
    kind: files.Picture = "svg" if query.format == "svg" else "png"
    return files.picture_of(
        view.draw(data, scene), files.caption_of(view, scene), scene.look, kind, query.width, query.height
    )


_WRITE: dict[Format, Callable[[View, Any, Scene, FigureQuery], str | bytes]] = {
    "table": _table,
    "csv": lambda view, data, scene, _query: files.csv_of(view.table(data, scene)),
    "parquet": lambda view, data, scene, _query: files.parquet_of(view.table(data, scene)),
    "html": lambda view, data, scene, _query: files.html_of(
        view.draw(data, scene), files.caption_of(view, scene), scene.look
    ),
    "svg": _picture,
    "png": _picture,
}


def _listed(view: View, facts: Facts) -> FigureOut:
    reason = None
    try:
        scene_of(view, facts, Chosen.model_validate({name: n for n, name in enumerate(view.required)}))
    except AppError as error:
        reason = error.detail
    values = {"quantity": facts["quantities"], "measure": list(view.measures), "order": list(view.orders)}
    parameters = [
        ParameterOut(name=name, required=name in view.required, values=values.get(name)) for name in view.parameters
    ]
    words = {"name": view.name, "title": view.title, "shows": view.shows, "definition": view.definition}
    return FigureOut(**words, section=view.section, parameters=parameters, available=reason is None, reason=reason)
