"""The figures of several runs over REST, as Plotly's JSON and as files."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from backend.api.deps import INVALID, NOT_FOUND
from backend.api.routes.compare import CompareQuery
from backend.errors import NotFound
from backend.schemas import Quantity
from backend.services import compare
from frontend import comparison
from frontend.comparison import GROUPS, NUMBERS, Choice, Compared, Statistic
from frontend.figures.look import Look
from frontend.figures_api import MEDIA_TYPES, NO_BROWSER, FileQuery
from frontend.views import files
from frontend.views.compared import COMPARED_VIEWS, ComparedView


def _field(name: str) -> str:
    if name not in GROUPS:
        raise ValueError(f"a field of a run's spec is expected, one of {', '.join(GROUPS[1:])}")
    return name


def _number(name: str) -> str:
    if name not in ("", *NUMBERS):
        raise ValueError(f"a number of a run's spec is expected, one of {', '.join(NUMBERS)}")
    return name


class ComparedQuery(FileQuery, CompareQuery):
    """Which runs, what is to be seen of them, and as what."""

    layer: int | None = Field(
        default=None, ge=1, lt=2**31, description="k, from 1; left out: the middle one of the first run"
    )
    quantity: Quantity = Quantity.PATH
    measure: compare.Compares = "cross_path"
    statistic: Statistic = "median"
    group: Annotated[str, AfterValidator(_field)] = Field(default="", description="a field of the specs, e.g. net")
    error: compare.Error = "gap"
    field: Annotated[str, AfterValidator(_number)] = Field(
        default="", description="a number of the specs that differs, e.g. optimiser.lr; left out: the first"
    )
    outcome: Literal["test_accuracy", "gap", "ratio"] = "test_accuracy"

    def choice(self) -> Choice:
        return Choice(
            runs=self.runs,
            filter=self.filter or "",
            layer=self.layer,
            quantity=self.quantity.value,
            measure=self.measure,
            statistic=self.statistic,
            group=self.group,
            error=self.error,
            field=self.field,
            outcome=self.outcome,
        )


class ComparedFigureOut(BaseModel):
    name: str
    title: str
    shows: str = Field(description="what one sees, in a sentence")
    definition: str = Field(description="the formula, and how to read it")
    section: str = Field(description="where the paper has it")
    parameters: list[str] = Field(description="what changes it, beside the runs")


router = APIRouter(prefix="/compare/figures", tags=["figures"], responses=NOT_FOUND | INVALID)


@router.get("")
def list_compared_figures() -> list[ComparedFigureOut]:
    """Every figure of several runs, and what it takes."""
    return [
        ComparedFigureOut(
            name=view.name,
            title=view.title,
            shows=view.shows,
            definition=view.definition,
            section=view.section,
            parameters=list(view.parameters),
        )
        for view in COMPARED_VIEWS.values()
    ]


@router.get(
    "/{name}",
    response_class=Response,
    responses=NO_BROWSER
    | {200: {"description": "the figure", "content": {kind.split(";")[0]: {} for kind in MEDIA_TYPES.values()}}},
)
def get_compared_figure(name: str, query: Annotated[ComparedQuery, Query()]) -> Response:
    """One figure of several runs: as Plotly's JSON, as a picture, as a page that stands alone, or its numbers."""
    if name not in COMPARED_VIEWS:
        raise NotFound(f"there is no figure {name!r}; there are {', '.join(COMPARED_VIEWS)}")
    choice = query.choice()
    content = _written(COMPARED_VIEWS[name], comparison.read(choice), choice, query)
    headers = {"Cache-Control": "no-store"}
    if query.format not in ("json", "table"):
        headers["Content-Disposition"] = f'attachment; filename="compared-{name}.{query.format}"'
    return Response(content, media_type=MEDIA_TYPES[query.format], headers=headers)


def _written(view: ComparedView, compared: Compared, choice: Choice, query: ComparedQuery) -> str | bytes:
    if query.format in ("table", "csv", "parquet"):
        table = view.table(compared, choice)
        if query.format == "table":
            return files.json_of(table, query.rows)
        return files.csv_of(table) if query.format == "csv" else files.parquet_of(table)
    look = Look(query.scheme, query.quantity)
    figure = view.draw(compared, choice, look)
    if query.format == "json":
        return figure.to_json()
    caption = view.caption(compared, choice)
    if query.format == "html":
        return files.html_of(figure, caption, look)
    return files.picture_of(figure, caption, look, "svg" if query.format == "svg" else "png", query.width, query.height)
