"""Several runs side by side: what they were asked, how similar their paths stay, and Fig. 7. Summaries only."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.errors import FieldError, InvalidInput, NotFound
from backend.models import Layer, LayerSummary, Recording
from backend.regression import Line, line_through
from backend.schemas import Measure, Quantity, Recorded, RunOut
from backend.services.early_to_mid import early_to_mid_of, generalisation
from backend.services.run_list import ids_matching, runs_among
from backend.spec_fields import flat
from backend.summary import QUANTILES

MOST = 500
Error = Literal["gap", "test_error"]
Compares = Literal["cross_path", "self_similarity", "train_loss", "test_loss", "train_accuracy", "test_accuracy"]
"""What is compared over training: two measures of a layer, and four of the whole net."""
OF_THE_NET = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
_LOW, _MEDIAN, _HIGH = (QUANTILES.index(level) for level in (0.25, 0.5, 0.75))


class Course(NamedTuple):
    """How a measure went in one run: at each recording the mean, the median and the middle half of all values."""

    run: int
    recordings: Int[ndarray, " recordings"]
    epochs: Float[ndarray, " recordings"]
    mean: Float[ndarray, " recordings"]
    median: Float[ndarray, " recordings"]
    low: Float[ndarray, " recordings"]
    high: Float[ndarray, " recordings"]
    undefined: Int[ndarray, " recordings"]


class Outcome(NamedTuple):
    """What came of a run: at its newest recording, and its early-to-mid ratio; None where it is not known."""

    test_accuracy: float | None
    gap: float | None
    ratio: float | None


class Dot(NamedTuple):
    """A run of Fig. 7."""

    run: int
    ratio: float
    error: float
    complete: bool


class Ratios(NamedTuple):
    """Fig. 7 over several runs: those that have a dot, the line through them, and of the others the reason."""

    dots: list[Dot]
    line: Line
    left_out: dict[int, str]


def run_ids(text: str | None) -> list[int] | None:
    """Numbers from an address. Raises InvalidInput."""
    if text is None:
        return None
    words = [word.strip(" ") for word in text.split(",") if word.strip(" ")]
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) < 16):
            raise InvalidInput([FieldError("runs", word, "not a run's number; write runs=1,2,3")])
    return list(dict.fromkeys(int(word) for word in words))


def runs_to_compare(session: Session, run_ids: Sequence[int] | None, text: str | None) -> list[RunOut]:
    """The runs of these numbers, at most MOST, or the newest MOST that fit the filter, in order.

    Raises NotFound for a number that no run has, InvalidInput.
    """
    if run_ids is not None and len(run_ids) > MOST:
        raise InvalidInput([FieldError("runs", len(run_ids), f"at most {MOST} runs are compared at once")])
    wanted = ids_matching(session, text or "", MOST) if run_ids is None else list(run_ids)
    found = runs_among(session, wanted)[::-1]
    missing = sorted(set(wanted) - {run.id for run in found})
    if missing:
        raise NotFound(f"there is no run {', '.join(str(run) for run in missing[:5])}")
    return found


def middle_layer(session: Session, run_ids: Sequence[int]) -> int:
    """That of the first of these runs whose layers are known; 1 where none is."""
    query = select(Layer.run_id, func.count()).where(Layer.run_id.in_(run_ids)).group_by(Layer.run_id)
    counts = dict(session.execute(query).all())
    return next(((counts[run_id] + 1) // 2 for run_id in run_ids if run_id in counts), 1)


def layer_names(session: Session, run_ids: Sequence[int], layer: int) -> dict[int, str]:
    """What the layer is called in each run that has it."""
    query = select(Layer.run_id, Layer.name).where(Layer.run_id.in_(run_ids), Layer.k == layer)
    return dict(session.execute(query).all())


def courses(session: Session, run_ids: Sequence[int], measure: Measure, quantity: Quantity, layer: int) -> list[Course]:
    """Of each run that has the layer and the quantity, in one query; the others are left out."""
    columns = (LayerSummary.run_id, LayerSummary.t, Recording.epoch, LayerSummary.mean, LayerSummary.quantiles)
    query = (
        select(*columns, LayerSummary.undefined)
        .join(Recording, (Recording.run_id == LayerSummary.run_id) & (Recording.t == LayerSummary.t))
        .where(
            LayerSummary.run_id.in_(run_ids),
            LayerSummary.measure == measure,
            LayerSummary.quantity == Recorded(quantity),
            LayerSummary.k == layer,
        )
        .order_by(LayerSummary.run_id, LayerSummary.t)
    )
    rows: dict[int, list[Any]] = {}
    for row in session.execute(query):
        rows.setdefault(row[0], []).append(row)
    return [_course(run_id, rows[run_id]) for run_id in run_ids if run_id in rows]


def courses_of_net(session: Session, run_ids: Sequence[int], measure: Compares) -> list[Course]:
    """A loss or accuracy on all clean images: one value a recording, which is mean and median, with no spread.

    Runs that have none are left out.
    """
    query = (
        select(Recording.run_id, Recording.t, Recording.epoch, getattr(Recording, measure))
        .where(Recording.run_id.in_(run_ids))
        .order_by(Recording.run_id, Recording.t)
    )
    rows: dict[int, list[Any]] = {}
    for row in session.execute(query):
        rows.setdefault(row[0], []).append(row)
    measured = [run_id for run_id in run_ids if any(row[3] is not None for row in rows.get(run_id, ()))]
    return [_course_of_net(run_id, rows[run_id]) for run_id in measured]


def outcomes(session: Session, found: Sequence[RunOut], quantity: Quantity) -> dict[int, Outcome]:
    """Of each run: test accuracy, training accuracy less it, and the early-to-mid ratio of the quantity."""
    recorded = early_to_mid_of(session, [run.id for run in found if run.last is not None])
    known = {run.id: generalisation(run.last) for run in found}
    ratios = {run_id: of[quantity].over_layers.ratio for run_id, of in recorded.items() if quantity in of}
    return {run.id: Outcome(known[run.id].test_accuracy, known[run.id].error, ratios.get(run.id)) for run in found}


def ratios(session: Session, found: Sequence[RunOut], quantity: Quantity, error: Error) -> Ratios:
    """Fig. 7: the early-to-mid ratio against the generalisation gap (training less test accuracy) or the test error."""
    recorded = early_to_mid_of(session, [run.id for run in found if run.last is not None])
    dots, left_out = [], {}
    for run in found:
        known = generalisation(run.last)
        y = known.error if error == "gap" else known.test_error
        one = recorded.get(run.id, {}).get(quantity)
        if run.last is None:
            left_out[run.id] = "nothing has been recorded yet"
        elif one is None:
            left_out[run.id] = f"it does not record {quantity}s"
        elif one.over_layers.ratio is None:
            left_out[run.id] = one.over_layers.reason or "it has no ratio"
        elif y is None:
            left_out[run.id] = "its data has no test images, so there is no generalisation error"
        else:
            dots.append(Dot(run.id, one.over_layers.ratio, y, one.complete))
    x, y_all = np.array([dot.ratio for dot in dots]), np.array([dot.error for dot in dots])
    return Ratios(dots, line_through(x, y_all), left_out)


def differences(found: Sequence[RunOut]) -> dict[str, list[Any]]:
    """The fields of the specs in which the runs are not all alike, each with its value in every run."""
    specs = [flat(run.spec) for run in found]
    fields = [name for name in (specs[0] if specs else {}) if name not in ("name", "tags", "notes")]
    values = {name: [spec.get(name) for spec in specs] for name in fields}
    return {name: column for name, column in values.items() if any(value != column[0] for value in column)}


def _course(run_id: int, rows: list[Any]) -> Course:
    quantiles = np.array([row[4] or [np.nan] * len(QUANTILES) for row in rows], dtype=np.float64).T
    return Course(
        run=run_id,
        recordings=np.array([row[1] for row in rows], dtype=np.int64),
        epochs=np.array([row[2] for row in rows], dtype=np.float64),
        mean=np.array([row[3] for row in rows], dtype=np.float64),
        median=quantiles[_MEDIAN].copy(),
        low=quantiles[_LOW].copy(),
        high=quantiles[_HIGH].copy(),
        undefined=np.array([row[5] for row in rows], dtype=np.int64),
    )


def _course_of_net(run_id: int, rows: list[Any]) -> Course:
    values = np.array([row[3] for row in rows], dtype=np.float64)
    return Course(
        run=run_id,
        recordings=np.array([row[1] for row in rows], dtype=np.int64),
        epochs=np.array([row[2] for row in rows], dtype=np.float64),
        mean=values,
        median=values,
        low=np.full(len(rows), np.nan),
        high=np.full(len(rows), np.nan),
        undefined=np.zeros(len(rows), dtype=np.int64),
    )
