"""What the compare page shows, asked of the services and given to the figures. The address holds the whole choice."""

from typing import Any, Literal, NamedTuple, TypedDict, get_args

import numpy as np

from backend.db import read_scope
from backend.errors import FieldError, InvalidInput
from backend.schemas import Measure, Quantity, RunOut
from backend.services import compare
from backend.services.compare import Course, Outcome, Ratios
from backend.spec_fields import SPEC_FIELDS, flat
from frontend.figures.compare import OutcomeDot, RatioDot
from frontend.figures.overlay import DISTINCT, Overlay, Style, mean_over_runs, styles_of

Statistic = Literal["median", "mean"]

MEASURES = {
    "cross_path": "cross-path similarity",
    "self_similarity": "self-similarity",
    "train_loss": "training loss (nats)",
    "test_loss": "test loss (nats)",
    "train_accuracy": "training accuracy",
    "test_accuracy": "test accuracy",
}
OUTCOMES = {
    "test_accuracy": "test accuracy",
    "gap": "training accuracy − test accuracy",
    "ratio": "early-to-mid ratio",
}
ERRORS = {"gap": "training accuracy − test accuracy", "test_error": "1 − test accuracy"}
FIELDS_TOLD = 3
"""More fields than these would make names too long for a legend; the table of differences has all."""
NUMBERS = tuple(name for name, kind in SPEC_FIELDS.items() if kind == "number")
GROUPS = ("", *(name for name in SPEC_FIELDS if name not in ("name", "notes")))


class Choice(TypedDict):
    """What the address chooses; what makes no sense in it counts as left out."""

    runs: str | None
    filter: str
    layer: int | None
    """None: the middle one, of the first run."""
    quantity: str
    measure: compare.Compares
    statistic: Statistic
    group: str
    error: compare.Error
    field: str
    outcome: str


class Compared(NamedTuple):
    """`layer` is the chosen one, or that which is shown where none is chosen; `layer_names` what each net calls it."""

    runs: list[RunOut]
    layer: int
    layer_names: dict[str, str]
    courses: list[Course]
    ratios: Ratios
    differences: dict[str, list[Any]]
    outcomes: dict[int, Outcome]

    @property
    def numbers(self) -> list[str]:
        """The fields of numbers in which the runs differ."""
        return [name for name in self.differences if name in NUMBERS]


def choice_of(found: dict[str, str]) -> Choice:
    """The choice in the items of a query string."""
    layer = found.get("layer", "")
    return Choice(
        runs=found.get("runs"),
        filter=found.get("filter", ""),
        layer=int(layer) if layer.isascii() and layer.isdigit() and 0 < len(layer) < 6 and int(layer) else None,
        quantity=_one_of(found.get("quantity"), tuple(Quantity)),
        measure=_one_of(found.get("measure"), tuple(MEASURES)),  # type: ignore[typeddict-item]
        statistic=_one_of(found.get("statistic"), get_args(Statistic)),  # type: ignore[typeddict-item]
        group=_one_of(found.get("group"), GROUPS),
        error=_one_of(found.get("error"), tuple(ERRORS)),  # type: ignore[typeddict-item]
        field=_one_of(found.get("field"), ("", *NUMBERS)),
        outcome=_one_of(found.get("outcome"), tuple(OUTCOMES)),
    )


def read(choice: Choice) -> Compared:
    """Everything that the page shows. Raises NotFound, InvalidInput."""
    quantity = Quantity(choice["quantity"])
    with read_scope() as session:
        found = compare.runs_to_compare(session, compare.run_ids(choice["runs"]), choice["filter"])
        ids = [run.id for run in found]
        layer = choice["layer"] or compare.middle_layer(session, ids)
        called = compare.layer_names(session, ids, layer)
        if of_the_net(choice):
            courses = compare.courses_of_net(session, ids, choice["measure"])
        else:
            courses = compare.courses(session, ids, Measure(choice["measure"]), quantity, layer)
        ratios = compare.ratios(session, found, quantity, choice["error"])
        outcomes = compare.outcomes(session, found, quantity)
    names = {run.spec.net: called[run.id] for run in found if run.id in called}
    return Compared(found, layer, names, courses, ratios, compare.differences(found), outcomes)


def of_the_net(choice: Choice) -> bool:
    """A loss or accuracy is compared: layer, quantity and statistic do not matter to it."""
    return choice["measure"] in compare.OF_THE_NET


def lines_of(compared: Compared, choice: Choice) -> list[Overlay]:
    """A line per run, or, where a field groups them, the mean over the runs of each group."""
    runs, names = {run.id: run for run in compared.runs}, names_of(compared)
    single = [_line(course, runs[course.run], names[course.run], choice) for course in compared.courses]
    if not choice["group"]:
        return single
    groups: dict[str, list[Overlay]] = {}
    for line in single:
        groups.setdefault(line.group, []).append(line)
    values = {
        line.group: value_of(runs[course.run], choice["group"])
        for line, course in zip(single, compared.courses, strict=True)
    }
    ordered = sorted(groups, key=lambda group: _by_value(values[group]))
    most = np.inf if choice["measure"].endswith("loss") else 1.0
    return [mean_over_runs(f"{name} ({len(groups[name])})", groups[name], most) for name in ordered]


def styles_of_runs(compared: Compared, choice: Choice) -> dict[int, Style]:
    """How the line is drawn that each run has, or that its group has."""
    lines = lines_of(compared, choice)
    styles = styles_of([line.group for line in lines])
    if len(lines) > DISTINCT:
        styles = {group: Style(style.colour, "solid") for group, style in styles.items()}
    shown, names = {course.run for course in compared.courses}, names_of(compared)
    return {run.id: styles[_group_of(run, names[run.id], choice)] for run in compared.runs if run.id in shown}


def value_of(run: RunOut, field: str) -> Any:
    return flat(run.spec).get(field)


def dots_of(compared: Compared) -> list[RatioDot]:
    """A dot per run that has a ratio, in the colour of its net."""
    runs, names = {run.id: run for run in compared.runs}, names_of(compared)
    return [
        RatioDot(names[dot.run], runs[dot.run].spec.net, f"/runs/{dot.run}", dot.ratio, dot.error, dot.complete)
        for dot in compared.ratios.dots
    ]


def field_of(compared: Compared, choice: Choice) -> str | None:
    """The chosen field, or the first number in which the runs differ; None where they differ in none.

    Raises InvalidInput for one in which they do not.
    """
    if choice["field"] and choice["field"] not in compared.numbers:
        there = f"numbers that do: {', '.join(compared.numbers)}" if compared.numbers else "no number does"
        raise InvalidInput([FieldError("field", choice["field"], f"it does not differ between these runs; {there}")])
    return choice["field"] or next(iter(compared.numbers), None)


def outcomes_of(compared: Compared, choice: Choice, field: str) -> list[OutcomeDot]:
    """A dot per run that has the field and the outcome, in the colour of its group, or else of its net."""
    names, dots = names_of(compared), []
    for run in compared.runs:
        x, y = value_of(run, field), getattr(compared.outcomes[run.id], choice["outcome"])
        group = _group_of(run, "", choice) or f"net = {run.spec.net}"
        if x is not None and y is not None:
            dots.append(OutcomeDot(names[run.id], group, f"/runs/{run.id}", float(x), y))
    return sorted(dots, key=lambda dot: dot.group)


def names_of(compared: Compared) -> dict[int, str]:
    """What each run is called beside the others: its number, its name, and the first fields in which they differ."""
    told = list(compared.differences)[:FIELDS_TOLD]
    names = {}
    for n, run in enumerate(compared.runs):
        values = [f"{_short(field)} {compared.differences[field][n]}" for field in told]
        names[run.id] = f"{run.id} · {', '.join([run.name, *values])}"
    return names


def _short(field: str) -> str:
    """Without its group, where the rest says enough: lr, milestones, probe.count, optimiser.kind."""
    group, _, name = field.rpartition(".")
    return name if group in ("optimiser", "lr_schedule") and name != "kind" else field


def _line(course: Course, run: RunOut, name: str, choice: Choice) -> Overlay:
    values = course.median if choice["statistic"] == "median" else course.mean
    group = _group_of(run, name, choice)
    ones = np.ones(len(values), dtype=np.int64)
    return Overlay(name, group, course.epochs, values, course.low, course.high, course.undefined, ones)


def _group_of(run: RunOut, name: str, choice: Choice) -> str:
    return f"{choice['group']} = {value_of(run, choice['group'])}" if choice["group"] else name


def _by_value(value: Any) -> tuple[bool, float, str]:
    """Numbers by size and before words."""
    number = isinstance(value, int | float)
    return not number, value if number else 0.0, str(value)


def _one_of(value: str | None, known: tuple[str, ...]) -> str:
    return value if value in known else str(known[0])
