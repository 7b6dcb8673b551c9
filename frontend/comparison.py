"""What the compare page shows, asked of the services and given to the figures. The address holds the whole choice."""

from typing import Any, NamedTuple, TypedDict, get_args

from backend.db import read_scope
from backend.schemas import Measure, Quantity, RunOut
from backend.services import compare
from backend.services.compare import Course, Ratios
from backend.spec_fields import SPEC_FIELDS, flat
from frontend.figures.compare import Overlay, RatioDot, Statistic, mean_over_runs

MEASURES = {"cross_path": "cross-path similarity", "self_similarity": "self-similarity"}
ERRORS = {"gap": "training accuracy − test accuracy", "test_error": "1 − test accuracy"}
FIELDS_TOLD = 3
"""More fields than these would make names too long for a legend; the table of differences has all."""
GROUPS = ("", *(name for name in SPEC_FIELDS if name not in ("name", "notes")))


class Choice(TypedDict):
    """What the address chooses; what makes no sense in it counts as left out."""

    runs: str | None
    filter: str
    layer: int
    quantity: str
    measure: str
    statistic: Statistic
    group: str
    error: compare.Error


class Compared(NamedTuple):
    runs: list[RunOut]
    courses: list[Course]
    ratios: Ratios
    differences: dict[str, list[Any]]


def choice_of(found: dict[str, str]) -> Choice:
    """The choice in the items of a query string."""
    layer = found.get("layer", "")
    return Choice(
        runs=found.get("runs"),
        filter=found.get("filter", ""),
        layer=int(layer) if layer.isascii() and layer.isdigit() and 0 < len(layer) < 6 else 1,
        quantity=_one_of(found.get("quantity"), tuple(Quantity)),
        measure=_one_of(found.get("measure"), tuple(MEASURES)),
        statistic=_one_of(found.get("statistic"), get_args(Statistic)),  # type: ignore[typeddict-item]
        group=_one_of(found.get("group"), GROUPS),
        error=_one_of(found.get("error"), tuple(ERRORS)),  # type: ignore[typeddict-item]
    )


def read(choice: Choice) -> Compared:
    """Everything that the page shows. Raises NotFound, InvalidInput."""
    quantity = Quantity(choice["quantity"])
    with read_scope() as session:
        found = compare.runs_to_compare(session, compare.run_ids(choice["runs"]), choice["filter"])
        ids = [run.id for run in found]
        courses = compare.courses(session, ids, Measure(choice["measure"]), quantity, choice["layer"])
        ratios = compare.ratios(session, found, quantity, choice["error"])
    return Compared(found, courses, ratios, compare.differences(found))


def lines_of(compared: Compared, choice: Choice) -> list[Overlay]:
    """A line per run, or, where a field groups them, the mean over the runs of each group."""
    runs, names = {run.id: run for run in compared.runs}, names_of(compared)
    single = [_line(course, runs[course.run], names[course.run], choice) for course in compared.courses]
    if not choice["group"]:
        return single
    groups: dict[str, list[Overlay]] = {}
    for line in single:
        groups.setdefault(line.group, []).append(line)
    return [mean_over_runs(f"{name} ({len(groups[name])})", groups[name]) for name in sorted(groups)]


def dots_of(compared: Compared) -> list[RatioDot]:
    """A dot per run that has a ratio, in the colour of its net."""
    runs, names = {run.id: run for run in compared.runs}, names_of(compared)
    return [
        RatioDot(names[dot.run], runs[dot.run].spec.net, f"/runs/{dot.run}", dot.ratio, dot.error, dot.complete)
        for dot in compared.ratios.dots
    ]


def names_of(compared: Compared) -> dict[int, str]:
    """What each run is called beside the others: its number, its name, and the first fields in which they differ."""
    told = list(compared.differences)[:FIELDS_TOLD]
    names = {}
    for n, run in enumerate(compared.runs):
        values = [f"{field.rpartition('.')[2]} {compared.differences[field][n]}" for field in told]
        names[run.id] = f"{run.id} · {', '.join([run.name, *values])}"
    return names


def _line(course: Course, run: RunOut, name: str, choice: Choice) -> Overlay:
    values = course.median if choice["statistic"] == "median" else course.mean
    group = f"{choice['group']} = {flat(run.spec).get(choice['group'])}" if choice["group"] else name
    return Overlay(name, group, course.epochs, values, course.low, course.high, course.undefined, "middle half")


def _one_of(value: str | None, known: tuple[str, ...]) -> str:
    return value if value in known else str(known[0])
