"""Several runs side by side."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from backend.api.arrays import answer
from backend.api.deps import INVALID, NOT_FOUND, Reading
from backend.errors import FieldError, InvalidInput
from backend.schemas import Measure, Quantity, RunOut
from backend.services import compare

router = APIRouter(prefix="/compare", tags=["compare"], responses=NOT_FOUND | INVALID)


class CompareQuery(BaseModel):
    """Which runs; numbers win over the filter, and without either it is the newest ones."""

    model_config = ConfigDict(extra="forbid")

    runs: str | None = Field(
        default=None,
        max_length=5000,
        description="numbers with commas between them",
        json_schema_extra={"pattern": "^[0-9, ]*$"},  # the service says it better
    )
    filter: str | None = Field(default=None, max_length=2000, description="as for the list of runs")


class CourseQuery(CompareQuery):
    layer: int | None = Field(default=None, ge=1, lt=2**31, description="k, from 1; needed for similarities")
    quantity: Quantity = Field(default=Quantity.PATH, description="of similarities")
    measure: compare.Compares = Field(
        default="cross_path", description="a similarity in a layer, or a loss or accuracy of the whole net"
    )


class RatioQuery(CompareQuery):
    quantity: Quantity = Quantity.PATH
    error: compare.Error = Field(
        default="gap", description="training accuracy less test accuracy, or 1 - test accuracy"
    )


class DotOut(BaseModel):
    run: int
    ratio: float
    error: float
    complete: bool = Field(description="the second decay has passed: the ratio does not change any more")
    r_without: float | None = Field(description="Pearson's r when this run is left out")


class RatiosOut(BaseModel):
    dots: list[DotOut]
    slope: float | None
    intercept: float | None
    r: float | None = Field(description="Pearson's")
    r_low: float | None = Field(description="2.5 % quantile of r over bootstrap resamples of the runs")
    r_high: float | None = Field(description="97.5 % quantile of the same")
    undefined_resamples: int
    reason: str | None = Field(description="why there is no line")
    left_out: dict[int, str] = Field(description="runs that have no dot, and why")


class DifferencesOut(BaseModel):
    runs: list[int]
    fields: dict[str, list[Any]] = Field(description="fields that differ; a value for each of `runs`")
    outcomes: dict[str, list[float | None]] = Field(
        description="test_accuracy, gap (training accuracy less it) and the early-to-mid ratio of paths, in this order"
    )


def _found(session: Session, query: CompareQuery) -> list[RunOut]:
    return compare.runs_to_compare(session, compare.run_ids(query.runs), query.filter)


@router.get("/courses", response_class=Response)
def get_courses(query: Annotated[CourseQuery, Query()], session: Reading) -> Response:
    """Mean, median and middle half of a measure over training, for each run that has it.

    Losses and accuracies are single values, which stand as mean and as median.
    """
    found = [run.id for run in _found(session, query)]
    if query.measure in compare.OF_THE_NET:
        courses = compare.courses_of_net(session, found, query.measure)
    elif query.layer is None:
        raise InvalidInput([FieldError("layer", None, f"{query.measure} is measured in a layer: name one, from 1")])
    else:
        courses = compare.courses(session, found, Measure(query.measure), query.quantity, query.layer)
    shown = [course.run for course in courses]
    return answer(
        {"courses": [one._asdict() for one in courses], "left_out": [run for run in found if run not in shown]}
    )


@router.get("/early-to-mid")
def get_ratios(query: Annotated[RatioQuery, Query()], session: Reading) -> RatiosOut:
    """Early-to-mid ratio against generalisation error, a dot for each run, and the line through them (Fig. 7)."""
    found = compare.ratios(session, _found(session, query), query.quantity, query.error)
    line = found.line
    dots = [
        DotOut(**dot._asdict(), r_without=None if without != without else without)
        for dot, without in zip(found.dots, line.without.tolist(), strict=True)
    ]
    return RatiosOut(
        dots=dots,
        slope=line.slope,
        intercept=line.intercept,
        r=line.r,
        r_low=line.low,
        r_high=line.high,
        undefined_resamples=line.undefined,
        reason=line.reason,
        left_out=found.left_out,
    )


@router.get("/differences")
def get_differences(query: Annotated[CompareQuery, Query()], session: Reading) -> DifferencesOut:
    """The fields of the specs in which the runs are not all alike, and what came of each run."""
    found = _found(session, query)
    came = list(compare.outcomes(session, found, Quantity.PATH).values())
    return DifferencesOut(
        runs=[run.id for run in found],
        fields=compare.differences(found),
        outcomes={name: [getattr(one, name) for one in came] for name in compare.Outcome._fields},
    )
