"""The figures of several runs: those of the compare page, which REST and the command line offer as well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from frontend import comparison
from frontend.comparison import ERRORS, MEASURES, OUTCOMES, Choice, Compared
from frontend.figures.chart import Chart
from frontend.figures.compare import outcome_against_field, ratio_against_error
from frontend.figures.look import Look, empty
from frontend.figures.overlay import HEIGHT, overlaid
from frontend.views.files import Caption
from frontend.views.view import Table

OF_SIMILARITIES = ("layer", "quantity", "statistic")


@dataclass(frozen=True)
class ComparedView:
    """One figure over runs: `draw(compared, choice, look)` makes it, `table` the numbers behind it.

    `parameters` are those parts of the choice that change it, beside the runs.
    """

    name: str
    title: str
    shows: str
    definition: str
    section: str
    parameters: tuple[str, ...]
    draw: Callable[[Compared, Choice, Look], Chart]
    table: Callable[[Compared, Choice], Table]

    def caption(self, compared: Compared, choice: Choice) -> Caption:
        told = [name for name in self.parameters if not (name in OF_SIMILARITIES and comparison.of_the_net(choice))]
        settled = {**choice, "layer": compared.layer}
        chosen = [f"{name} {str(value).replace('_', '-')}" for name in told if (value := settled.get(name))]
        title = f"{self.title} · {', '.join([f'{len(compared.runs)} runs', *chosen])}"
        return Caption(title, self.shows, self.definition, self.section)


def _overlay(compared: Compared, choice: Choice, look: Look) -> Chart:
    revision = " ".join(str(choice[name]) for name in ("layer", "quantity", "measure", "group"))
    measure = MEASURES[choice["measure"]]
    title = measure if comparison.of_the_net(choice) else f"{choice['statistic']} {measure}"
    shares = choice["measure"].endswith("accuracy")
    return overlaid(comparison.lines_of(compared, choice), look, title_y=title, revision=revision, shares=shares)


def _overlay_table(compared: Compared, choice: Choice) -> Table:
    lines = comparison.lines_of(compared, choice)
    counts = [len(line.epochs) for line in lines]
    return {
        "line": np.repeat([line.name for line in lines], counts),
        "epoch": _column([line.epochs for line in lines]),
        "value": _column([line.values for line in lines]),
        "low": _column([line.low for line in lines]),
        "high": _column([line.high for line in lines]),
        "undefined": _column([line.undefined for line in lines]),
        "runs": np.concatenate([line.runs for line in lines] or [np.empty(0, dtype=np.int64)]),
    }


def _column(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([part.astype(float) for part in parts] or [np.empty(0)])


def _ratios(compared: Compared, choice: Choice, look: Look) -> Chart:
    return ratio_against_error(
        comparison.dots_of(compared),
        compared.ratios.line,
        look,
        title_y=ERRORS[choice["error"]],
        left_out=len(compared.ratios.left_out),
        revision=f"{choice['quantity']} {choice['error']}",
    )


def _ratios_table(compared: Compared, _choice: Choice) -> Table:
    """The runs without a dot as well, with the reason."""
    dots, left_out, names = compared.ratios.dots, compared.ratios.left_out, comparison.names_of(compared)
    gaps = [np.nan] * len(left_out)
    return {
        "run": [*(names[dot.run] for dot in dots), *(names[run] for run in left_out)],
        "ratio": [*(dot.ratio for dot in dots), *gaps],
        "error": [*(dot.error for dot in dots), *gaps],
        "r_without_it": [*compared.ratios.line.without.tolist(), *gaps],
        "left_out_because": [*("" for _ in dots), *left_out.values()],
    }


def _outcomes(compared: Compared, choice: Choice, look: Look) -> Chart:
    field, outcome = comparison.field_of(compared, choice), OUTCOMES[choice["outcome"]]
    if field is None:
        return empty("The specs of these runs differ in no number.", look, HEIGHT)
    dots = comparison.outcomes_of(compared, choice, field)
    return outcome_against_field(
        dots,
        look,
        title_x=field,
        title_y=outcome,
        left_out=len(compared.runs) - len(dots),
        revision=f"{field} {choice['outcome']} {choice['quantity']} {choice['group']}",
    )


def _outcomes_table(compared: Compared, choice: Choice) -> Table:
    """A row per run, with every outcome."""
    field = comparison.field_of(compared, choice)
    found = [compared.outcomes[run.id] for run in compared.runs]
    values = {} if field is None else {field: [comparison.value_of(run, field) for run in compared.runs]}
    outcomes = {name: np.array([getattr(one, name) for one in found], dtype=np.float64) for name in OUTCOMES}
    return {
        "run": [run.id for run in compared.runs],
        "net": [run.spec.net for run in compared.runs],
        **values,
        **outcomes,
    }


OVER_TRAINING = ComparedView(
    name="over-training",
    title="Over training",
    shows="Each run's similarity in the chosen layer, its loss or its accuracy, or the mean over each group's runs.",
    definition="A run's line is the median (or mean) over all pairs or images, the band holds the middle half "
    "of them. A group's line is the mean over its runs, its band ± one standard deviation (n − 1) over them, cut off "
    "at 0 and 1: the spread of seeds, if only the seed differs. The line is thin and dotted where not all runs of the "
    "group have a value (some have ended); hovering and the numbers say of how many the mean is, and of one there is "
    "no band. Losses and accuracies are those of all clean images, of the whole net. "
    "Bands are drawn of up to 8 lines; hovering always tells them. Colours repeat with dashes after 8 lines.",
    section="Secs. 6.1 and 6.2",
    parameters=("layer", "quantity", "measure", "statistic", "group"),
    draw=_overlay,
    table=_overlay_table,
)

RATIOS = ComparedView(
    name="early-to-mid-ratio",
    title="Early-to-mid ratio against generalisation error",
    shows="One dot a run: does more similarity early than in the middle of training go with a smaller error? (Fig. 7)",
    definition="x: mean cross-path similarity up to the first learning-rate decay over the mean between the first and "
    "the second, over all pairs and layers. y: training accuracy − test accuracy at the newest recording, or 1 − test "
    "accuracy. The line is least squares; r is Pearson's, its interval the 2.5 and 97.5 % quantiles of 2,000 "
    "bootstrap resamples of the runs. The paper reports a roughly linear relation.",
    section="Sec. 8, Fig. 7",
    parameters=("quantity", "error"),
    draw=_ratios,
    table=_ratios_table,
)

FIELD_AGAINST_OUTCOME = ComparedView(
    name="field-against-outcome",
    title="A field of the spec against the outcome",
    shows="One dot a run: a number in which the specs differ, against what came of the run.",
    definition="x: the field; the axis is logarithmic where it spans a power of ten. y: test accuracy at the newest "
    "recording, training accuracy less it, or the early-to-mid ratio over all layers. Colours are groups, or nets "
    "where nothing is grouped. Other fields may differ as well: the table below has them all.",
    section="beyond the paper",
    parameters=("field", "outcome", "quantity", "group"),
    draw=_outcomes,
    table=_outcomes_table,
)

COMPARED_VIEWS = {view.name: view for view in (OVER_TRAINING, RATIOS, FIELD_AGAINST_OUTCOME)}
