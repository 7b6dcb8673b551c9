"""What the compare page and the paper page draw, from arrays; which runs the paper's figures need and find."""

import json

import numpy as np
import pytest
from plotly.utils import PlotlyJSONEncoder

from backend import catalogue
from backend.db import session_scope
from backend.regression import line_through
from backend.schemas import RunSpec
from backend.services import commands, runs
from frontend import comparison, paper
from frontend.figures.compare import RatioDot, line_words, ratio_against_error
from frontend.figures.look import Look
from frontend.figures.overlay import BANDS_UP_TO, DISTINCT, Overlay, mean_over_runs, overlaid, styles_of
from frontend.pages import compare as compare_page
from frontend.pages import paper as paper_page
from frontend.views.registry import VIEWS
from tests.made_runs import make_run


def overlay(name, epochs, values):
    numbers = np.array(values, dtype=float)
    ones = np.ones(len(numbers), dtype=np.int64)
    return Overlay(name, name, np.array(epochs, dtype=float), numbers, numbers, numbers, numbers * 0, ones)


def drawn(lines):
    return overlaid(lines, Look(), title_y="", revision="").graph_object()


def test_mean_over_runs_when_one_ends_early_goes_on_with_the_others():
    mean = mean_over_runs("both", [overlay("a", [1, 2], [0.2, 0.4]), overlay("b", [1, 2, 3], [0.4, np.nan, 0.8])])
    assert mean.epochs.tolist() == [1, 2, 3]
    assert mean.values == pytest.approx([0.3, 0.4, 0.8])
    assert (mean.high - mean.values)[0] == pytest.approx(np.std([0.2, 0.4], ddof=1))
    assert np.isnan(mean.high[1:]).all()
    assert (mean.runs.tolist(), mean.out_of) == ([2, 1, 1], 2)


def test_mean_over_runs_stays_within_what_the_measure_can_be():
    mean = mean_over_runs("both", [overlay("a", [1], [0.1]), overlay("b", [1], [1.0])])
    assert (mean.low[0], mean.high[0]) == (0, 1)
    loss = mean_over_runs("both", [overlay("a", [1], [0.1]), overlay("b", [1], [2.0])], most=np.inf)
    assert (loss.low[0], loss.high[0]) == (0, pytest.approx(1.05 + 1.9 / np.sqrt(2)))


def test_group_line_is_dotted_and_without_a_band_where_runs_are_missing_and_says_of_how_many_it_is():
    runs = [overlay("a", [1, 2], [0.2, 0.4]), overlay("b", [1, 2, 3], [0.4, 0.6, 0.8])]
    band, whole, rest = drawn([mean_over_runs("both", runs)]).data
    assert band.x == (1, 2, 2, 1, None)
    assert [whole.y, rest.y] == [pytest.approx((0.3, 0.5, None)), pytest.approx((None, 0.5, 0.8))]
    assert (rest.line.dash, whole.line.dash, rest.showlegend) == ("dot", "solid", False)
    assert "mean of 2 of 2 runs" in whole.text[0]
    assert rest.text[2].endswith("mean of 1 of 2 runs")


def test_forty_groups_are_told_apart_by_colour_and_dash_in_their_order():
    styles = styles_of([str(n) for n in range(DISTINCT)])
    assert len(set(styles.values())) == DISTINCT == 40
    assert [styles[str(n)].dash for n in (0, 7, 8, 16)] == ["solid", "solid", "dash", "dot"]
    assert list(styles)[9:11] == ["9", "10"]


def test_overlay_draws_a_line_per_run_and_bands_only_of_few():
    few = drawn([overlay("a", [1], [0.5]), overlay("b", [1], [0.6])])
    assert [trace.name for trace in few.data if trace.name] == ["a", "b"]
    assert sum(trace.fill == "toself" for trace in few.data) == 0, "a band has at least two recordings"
    pair = drawn([overlay("a", [1, 2], [0.5, 0.6]), overlay("b", [1, 2], [0.6, 0.7])])
    assert sum(trace.fill == "toself" for trace in pair.data) == 2
    many = drawn([overlay(str(n), [1], [0.5]) for n in range(BANDS_UP_TO + 1)])
    assert len(many.data) == BANDS_UP_TO + 1
    hundred = drawn([overlay(str(n), [1, 2], [0.5, n / 100]) for n in range(100)])
    assert len(hundred.data) == 8
    assert sum(np.isfinite(trace.y).sum() for trace in hundred.data) == 200


def test_ratios_when_drawn_hold_every_dot_its_link_and_the_line():
    dots = [RatioDot(f"run {n}", "mlp" if n < 2 else "vgg19", f"/runs/{n}", n / 4, n / 2, n > 0) for n in range(4)]
    line = line_through(np.array([dot.ratio for dot in dots]), np.array([dot.error for dot in dots]))
    figure = ratio_against_error(dots, line, Look("dark"), title_y="gap", left_out=3, revision="").graph_object()
    assert sorted(x for trace in figure.data[:2] for x in trace.x) == [0, 0.25, 0.5, 0.75]
    assert figure.data[1].customdata == ("/runs/2", "/runs/3")
    assert figure.data[0].marker.symbol == ("circle-open", "circle")
    assert figure.data[2].y == pytest.approx((0, 1.5))
    assert "r = 1.000" in figure.layout.title.text
    assert "3 without a ratio" in line_words(line, 3)


@pytest.mark.usefixtures("home")
def test_lines_when_grouped_are_means_over_the_runs_of_each_value():
    for seed, rate in ((0, 0.1), (1, 0.1), (0, 0.2)):
        make_run(count=3, seed=seed, optimiser={"lr": rate})
    choice = comparison.choice_of({"group": "optimiser.lr", "layer": "2", "statistic": "mean", "error": "nonsense"})
    compared = comparison.read(choice)
    assert (choice["error"], choice["layer"]) == ("gap", 2)
    lines = comparison.lines_of(compared, choice)
    assert [line.name for line in lines] == ["optimiser.lr = 0.1 (2)", "optimiser.lr = 0.2 (1)"]
    names = comparison.names_of(compared)
    assert [name.partition(", ")[2] for _, name in sorted(names.items())] == [
        "lr 0.1, seed 0",
        "lr 0.1, seed 1",
        "lr 0.2, seed 0",
    ]
    means = [course.mean for course in compared.courses]
    assert lines[0].values == pytest.approx((means[0] + means[1]) / 2)


def test_every_paper_figure_names_views_that_exist_and_tells_what_the_paper_reports():
    assert [figure.key for figure in paper.FIGURES] == ["1", "2", "3", "4", "D", "5", "6", "E", "7", "16"]
    for figure in paper.FIGURES:
        assert len(figure.reports) > 50
        for shown in figure.views:
            assert set(shown.chosen) <= set(VIEWS[shown.view].parameters)


@pytest.mark.usefixtures("home")
def test_paper_runs_when_submitted_are_found_again_by_every_figure_that_needs_them():
    one, five = paper.figure_of("1"), paper.figure_of("5")
    assert paper.submit_missing(one, "small", []) == 1
    assert paper.submit_missing(five, "small", []) == 0
    specs = paper.specs_of(five, "small", [])
    assert [need.run.id for need in paper.needs_of(specs)] == [1]
    with session_scope() as session:
        commands.cancel(session, 1)
    assert [need.run for need in paper.needs_of(specs)] == [None]
    assert paper.submit_missing(paper.figure_of("7"), "small", []) == 6


@pytest.mark.usefixtures("home")
def test_paper_runs_when_merely_tagged_alike_do_not_count():
    with session_scope() as session:
        runs.submit(session, RunSpec(net="alexnet", dataset="digits", tags=("paper",)))
    assert paper.needs_of(paper.specs_of(paper.figure_of("1"), "small", []))[0].run is None


@pytest.mark.usefixtures("home")
def test_paper_figures_at_the_papers_size_can_all_be_submitted_where_the_data_is_offered():
    datasets = catalogue.catalogue().datasets
    assert paper.specs_of(paper.figure_of("3"), "paper", datasets) is None
    datasets.append(datasets[0].model_copy(update={"name": "imagenet"}))
    specs = {spec for figure in paper.FIGURES for spec in paper.specs_of(figure, "paper", datasets)}
    assert len(specs) == 10
    assert paper.specs_of(paper.FIGURES[0], "paper", []) is None


@pytest.mark.usefixtures("home")
def test_paper_page_when_the_run_is_done_shows_its_charts():
    spec = paper.specs_of(paper.figure_of("5"), "small", [])[0].model_dump(mode="json")
    made = make_run(images=8, count=3, layers=4, **spec | {"quantities": ["path", "activation"]})
    shown = paper_page.shown(paper.figure_of("5"), "small", "light")
    page = json.dumps(shown[2], cls=PlotlyJSONEncoder)
    assert f"/api/v1/runs/{made.id}/figures/self-similarity?layer=4&quantity=path&format=csv" in page
    assert (shown[3], shown[5]) == ("none", [made.id])
    assert "not submitted" in json.dumps(
        paper_page.shown(paper.figure_of("16"), "small", "light"), cls=PlotlyJSONEncoder
    )


def test_lines_when_grouped_by_a_list_have_its_values_as_their_name(home):
    for milestones in ([1], [1], [1, 2]):
        make_run(images=4, count=3, epochs=3, lr_schedule={"milestones": milestones})
    choice = comparison.choice_of({"group": "lr_schedule.milestones"})
    names = [line.name for line in comparison.lines_of(comparison.read(choice), choice)]
    assert names == ["lr_schedule.milestones = 1 (2)", "lr_schedule.milestones = 1, 2 (1)"]


@pytest.mark.usefixtures("home")
def test_layer_when_none_is_chosen_is_the_middle_one_and_has_its_name():
    make_run(count=3, layers=5, seed=1)
    make_run(count=3, layers=5, seed=2)
    compared = comparison.read(comparison.choice_of({}))
    chosen = comparison.read(comparison.choice_of({"layer": "2"}))
    assert (compared.layer, chosen.layer) == (3, 2)
    assert list(compared.layer_names.values()) == ["relu3"]
    words = compare_page.shown(compared, comparison.choice_of({}), Look())[5]
    assert words == "Layer 3 is relu3 in mlp."
