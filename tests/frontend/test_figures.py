"""Figures draw exactly the arrays that they are given, and Plotly finds nothing wrong with any of them."""

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from backend.correlation import correlate
from backend.schemas import Quantity, RecordingOut
from backend.series import (
    Answers,
    Distribution,
    ImageRows,
    LayerDistributions,
    LayerRows,
    Neighbours,
    OverlapAgainstDistance,
    PairLayers,
    ProjectionMap,
)
from backend.services.statistics import nearest_at, nearest_of, ranks_of
from backend.summary import summarise
from frontend.figures.answers import answers_over_training
from frontend.figures.band import band_of, line_over_band
from frontend.figures.change import change_over_training, share_over_training
from frontend.figures.chart import Chart
from frontend.figures.distribution import distribution_over_training
from frontend.figures.look import Look, empty, gaps
from frontend.figures.maps import projection_map
from frontend.figures.multiples import distributions_of_layers
from frontend.figures.neighbours import closeness_over_training, follow, ranks_over_training
from frontend.figures.overlap import overlap_against_distance
from frontend.figures.pair import layers_of_pair
from frontend.figures.rows import layers_over_training, pairs_over_training, row_order
from frontend.figures.training import curves_of, rate_steps, training_curves


def plotted(draw: Callable[..., Chart]):
    """The same figure as Plotly's object, which checks each of its properties."""
    return lambda *arguments, **options: draw(*arguments, **options).graph_object()


line_over_band, distribution_over_training = plotted(line_over_band), plotted(distribution_over_training)
change_over_training, share_over_training = plotted(change_over_training), plotted(share_over_training)
ranks_over_training, closeness_over_training = plotted(ranks_over_training), plotted(closeness_over_training)
layers_over_training, pairs_over_training = plotted(layers_over_training), plotted(pairs_over_training)
training_curves, empty = plotted(training_curves), plotted(empty)
layers_of_pair = plotted(layers_of_pair)
answers_over_training, projection_map = plotted(answers_over_training), plotted(projection_map)
overlap_against_distance, distributions_of_layers = plotted(overlap_against_distance), plotted(distributions_of_layers)

LIGHT = Look()
EPOCHS = [0.0, 0.5, 1.0, 2.0]
NAMES = ["#0 · cat", "#1 · dog", "#2 · cat", "#3 · dog"]
LABELS = [0, 1, 0, 1]


def sentence_of(figure):
    assert not figure.data
    return figure.layout.annotations[0].text


def shapes_of(figure, name):
    return [shape for shape in figure.layout.shapes if shape.name == name]


def distribution_of(values):
    summaries = [summarise(row) for row in values]
    return Distribution(
        np.arange(1, len(values) + 1),
        np.array([one.defined for one in summaries]),
        np.array([one.undefined for one in summaries]),
        np.array([one.mean for one in summaries], dtype=float),
        np.array([one.std for one in summaries], dtype=float),
        np.array([one.quantiles or [None] * 9 for one in summaries], dtype=float).reshape(-1, 9),
        np.array([one.histogram for one in summaries]).reshape(-1, 100),
    )


def pair_rows():
    values = np.array([[np.nan, 0.5, 0.6, 0.7], [np.nan, 0.9, np.nan, 0.8], [np.nan, 0.95, 0.99, 0.9]])
    return ImageRows(np.array([1, 2, 3]), values)


def neighbours(count=2):
    closeness = np.array([[np.nan, 5.0, 9.0, 9.0], [np.nan, 7.0, 2.0, 3.0]])
    ranks = ranks_of(closeness)
    nearest = nearest_of(ranks, count)
    return Neighbours(np.array([0, 1]), closeness, ranks, nearest, np.array([np.nan, 0.5]), np.array([0.5, 1.0]))


def recording(t, **changes):
    measured = {"train_loss": 2.0 / (t + 1), "train_accuracy": 0.5, "test_loss": 1.0, "test_accuracy": 0.4}
    place = {"t": t, "epoch": float(t), "step": 10 * t, "lr": 0.1, "seconds": 1.0, "created_at": datetime.now(UTC)}
    return RecordingOut(**{**place, **measured, **changes})


def test_gaps_when_values_are_undefined_holds_none():
    assert gaps(np.array([[0.25, np.nan], [np.nan, 1.0]])) == [[0.25, None], [None, 1.0]]


def test_empty_when_drawn_says_its_sentence():
    assert sentence_of(empty("Nothing yet.", LIGHT)) == "Nothing yet."


def test_training_curves_when_recorded_draw_every_measure_against_epochs():
    curves = curves_of([recording(0), recording(1, train_loss=None), recording(2)], (1,))
    figure = training_curves(curves, LIGHT)
    assert [list(trace.x) for trace in figure.data] == [[0.0, 1.0, 2.0]] * 5
    layout = figure.layout
    titles = [axis.title.text for axis in (layout.yaxis, layout.yaxis2, layout.yaxis3)]
    assert titles == ["loss (nats)", "accuracy", "rate"]
    assert [axis.title.text or "" for axis in (layout.xaxis, layout.xaxis2, layout.xaxis3)] == ["", "", "epoch"]
    assert list(figure.data[0].y) == [2.0, None, pytest.approx(2 / 3, abs=1e-6)]
    assert [list(trace.y) for trace in figure.data[1:]] == [[1.0] * 3, [0.5] * 3, [0.4] * 3, [0.1] * 3]


def test_training_curves_when_the_rate_falls_mark_each_decay_in_every_chart():
    figure = training_curves(curves_of([recording(t) for t in range(3)], (1, 2)), LIGHT)
    assert sorted(shape.x0 for shape in figure.layout.shapes if not shape.name) == [1, 1, 1, 2, 2, 2]


def test_rate_falls_where_the_decay_is_marked_on_a_logarithmic_axis():
    rates = [0.1, 0.1, 0.01, 0.01]
    curves = curves_of([recording(t, lr=lr) for t, lr in enumerate(rates)], (1,))
    figure = training_curves(curves, LIGHT)
    rate = figure.data[-1]
    assert (rate.line.shape, list(rate.x), list(rate.y)) == ("vh", [0, 1, 2, 3], rates)  # at x = 1 down, then along
    assert (figure.layout.yaxis3.type, figure.layout.yaxis3.ticktext) == ("log", ("0.01", "0.1"))
    even = training_curves(curves_of([recording(0), recording(1, lr=0.05)], ()), LIGHT)
    assert (even.data[-1].line.shape, even.layout.yaxis3.type) == ("linear", None)


def test_rate_steps_when_decays_lie_between_recordings_fall_at_each():
    curves = curves_of([recording(t, epoch=4.0 * t, lr=lr) for t, lr in enumerate([1, 1, 0.01])], (5, 6))
    x, y = rate_steps(curves)
    assert (x, y) == ([0, 4, 5, 6, 8], pytest.approx([1, 1, 1, 0.1, 0.01]))
    x, y = rate_steps(curves._replace(decays=(4, 6)))
    assert (x, y) == ([0, 4, 6, 8], pytest.approx([1, 1, 0.1, 0.01]))


def test_training_curves_when_nothing_is_recorded_say_so():
    assert "first recording" in sentence_of(training_curves(curves_of([], ()), LIGHT))


def test_distribution_when_drawn_shows_shares_median_and_bands():
    rng = np.random.default_rng(0)
    data = distribution_of(rng.uniform(0.4, 1, (3, 500)))
    figure = distribution_over_training(data, EPOCHS, LIGHT, name="similarity", revision="r", t=2)
    heat_map, *edges, median = figure.data
    assert np.nansum(np.array(heat_map.z, dtype=float), axis=0) == pytest.approx([1, 1, 1], abs=1e-5)
    assert list(median.y) == pytest.approx(data.quantiles[:, 4], abs=1e-6)
    drawn = [list(edge.y) for edge in edges]
    assert drawn == [pytest.approx(data.quantiles[:, column], abs=1e-6) for column in (2, 6, 3, 5)]
    assert shapes_of(figure, "cursor")[0].x0 == 2


def test_distribution_when_values_are_undefined_says_how_many():
    data = distribution_of(np.array([[0.5, np.nan, np.nan, 0.7]]))
    figure = distribution_over_training(data, EPOCHS, LIGHT, name="similarity", revision="r")
    assert "2 values, 2 undefined" in figure.data[-1].text[0]
    assert "epoch 0.5" in figure.data[-1].text[0]


@pytest.mark.parametrize("values", [np.empty((0, 4)), np.full((2, 4), np.nan)])
def test_distribution_when_nothing_is_defined_says_so(values):
    figure = distribution_over_training(distribution_of(values), EPOCHS, LIGHT, name="similarity", revision="r")
    assert sentence_of(figure)


@pytest.mark.parametrize(
    ("values", "settled", "lowest"),
    [
        ([[0.95, 0.8, 0.9], [0.9, 0.9, 1.0]], "last to stay at 0.9 or above: layer 1, from t = 3", "layer 1, 0.9000"),
        ([[0.9, 0.9, 0.8], [0.2, 0.3, 0.5]], "not yet at 0.9: layers 1, 2", "lowest at t = 3: layer 2, 0.5000"),
        ([[0.5, 1, 1], [0.7, 1, 0.99999]], "layers 1, 2, from t = 2", "at t = 3 all layers are at 1.0000"),
    ],
)
def test_layers_when_drawn_say_which_settles_last(values, settled, lowest):
    rows = LayerRows(np.array([1, 2]), np.array([1, 2, 3]), np.array(values, dtype=float))
    figure = layers_over_training(rows, ["a", "b"], EPOCHS, LIGHT, layer=2, revision="r")
    first, second = figure.layout.title.text.split("<br>")
    assert first.endswith(settled)
    assert second.endswith(lowest)


def test_layers_when_drawn_have_a_row_each_and_a_frame_around_the_chosen():
    rows = LayerRows(np.array([1, 2]), np.array([1, 2, 3]), np.array([[0.5, 0.6, np.nan], [0.7, 0.8, 0.9]]))
    figure = layers_over_training(rows, ["a", "b"], EPOCHS, LIGHT, layer=2, revision="r", t=3)
    assert np.allclose(np.array(figure.data[0].z, dtype=float), rows.values, equal_nan=True)
    assert list(figure.data[0].y) == [1, 2]
    assert figure.layout.meta == {"select": "layer", "rows": [1, 2]}
    assert figure.layout.title.text == "not yet at 0.9: layer 1<br>lowest at t = 3: layer 2, 0.9000"
    assert {(shape.y0, shape.y1) for shape in shapes_of(figure, "row")} == {(1.5, 2.5)}
    assert [(shape.x0, shape.line.color) for shape in shapes_of(figure, "cursor")] == [(3, "white"), (3, "#1a1b1e")]


def test_row_order_when_by_label_keeps_labels_together_and_leaves_the_image_out():
    assert row_order(pair_rows(), LABELS, 0, "label").tolist() == [2, 1, 3]


def test_row_order_when_by_value_puts_the_newest_largest_first():
    assert row_order(pair_rows(), LABELS, 0, "value").tolist() == [2, 1, 3]
    older = ImageRows(np.array([1, 2]), pair_rows().values[:2])
    assert row_order(older, LABELS, 0, "value").tolist() == [1, 3, 2]


def test_pairs_when_drawn_have_the_rows_in_order_and_say_which_image_each_is():
    order = np.array([2, 1, 3])
    figure = pairs_over_training(pair_rows(), order, NAMES, EPOCHS, LIGHT, partner=1, revision="r")
    assert np.allclose(np.array(figure.data[0].z, dtype=float), pair_rows().values[:, order].T, equal_nan=True)
    assert figure.layout.meta == {"select": "partner", "rows": [2, 1, 3]}
    assert {shape.y0 for shape in shapes_of(figure, "row")} == {0.5}
    assert figure.data[0].customdata[1][0] == "#1 · dog"


def test_pairs_when_no_partner_is_chosen_show_no_frame():
    figure = pairs_over_training(pair_rows(), np.array([1, 2, 3]), NAMES, EPOCHS, LIGHT, partner=None, revision="r")
    assert not any(shape.visible for shape in shapes_of(figure, "row"))


def test_band_when_values_are_undefined_leaves_them_out():
    band = band_of(np.array([[1.0, 3.0, np.nan], [np.nan, np.nan, np.nan]]))
    assert band[50][0] == 2.0
    assert np.isnan(band[50][1])


def test_line_over_band_when_an_image_is_chosen_draws_its_values():
    figure = line_over_band(
        pair_rows(), 2, EPOCHS, LIGHT, title_y="s", name="with #2", colour="#d6336c", revision="r", t=1
    )
    assert list(figure.data[-1].y) == [0.6, None, 0.99]
    assert list(figure.data[-2].y) == pytest.approx([0.6, 0.85, 0.95])


def test_line_over_band_when_none_is_chosen_draws_the_band_alone():
    style = {"title_y": "s", "name": "", "colour": "#d6336c", "revision": "r"}
    with_line = line_over_band(pair_rows(), 2, EPOCHS, LIGHT, **style)
    without = line_over_band(pair_rows(), None, EPOCHS, LIGHT, **style)
    assert len(without.data) == len(with_line.data) - 1


def test_follow_when_a_recording_is_chosen_takes_its_nearest_through_all_recordings():
    followed = follow(neighbours(), 0)
    assert followed.images == (2, 3)
    assert followed.ranks.tolist() == [[0, 2], [1, 1]]
    assert followed.closeness.tolist() == [[9, 2], [9, 3]]


def test_follow_when_the_recording_was_not_made_takes_the_newest():
    assert follow(neighbours(), 99).images == (1, 3)
    assert follow(neighbours(), None).images == (1, 3)


def test_ranks_when_drawn_are_one_more_on_a_reversed_logarithmic_axis():
    figure = ranks_over_training(neighbours(), NAMES, EPOCHS, LIGHT, revision="r", t=0)
    assert [list(trace.y) for trace in figure.data] == [[1.0, 3.0], [2.0, 2.0]]
    assert [list(trace.customdata) for trace in figure.data] == [[0.0, 2.0], [1.0, 1.0]]
    assert [trace.meta["partner"] for trace in figure.data] == [2, 3]
    low, high = figure.layout.yaxis.range
    assert low > high
    assert figure.layout.yaxis.ticktext[0] == "0"


def test_closeness_when_drawn_counts_units_for_paths_and_gives_cosines_for_activations():
    paths = closeness_over_training(neighbours(), NAMES, EPOCHS, LIGHT, revision="r", t=1)
    assert [list(trace.y) for trace in paths.data] == [[5.0, 7.0], [9.0, 3.0]]
    activations = closeness_over_training(
        neighbours(), NAMES, EPOCHS, Look("dark", Quantity.ACTIVATION), revision="r", t=1
    )
    assert "units" in paths.layout.yaxis.title.text
    assert "cosine" in activations.layout.yaxis.title.text


def test_neighbours_when_nobody_is_comparable_say_so():
    none = np.array([np.nan])
    nothing = Neighbours(np.array([0]), np.full((1, 3), np.nan), np.full((1, 3), -1), np.full((1, 2), -1), none, none)
    assert sentence_of(ranks_over_training(nothing, NAMES, EPOCHS, LIGHT, revision="r"))
    assert sentence_of(closeness_over_training(nothing, NAMES, EPOCHS, LIGHT, revision="r"))


def test_look_when_the_quantity_differs_uses_another_hue_in_both_schemes():
    for scheme in ("light", "dark"):
        assert Look(scheme, Quantity.PATH).line != Look(scheme, Quantity.ACTIVATION).line
    assert Look("dark").scale()[0][1] == Look("light").scale()[-1][1]


def test_chart_when_sent_holds_arrays_as_plotly_reads_them():
    values = np.array([[0.25, np.nan, 1], [0.5, 0.75, 2]], dtype=np.float32)
    chart = Chart()
    chart.add_heatmap(z=values.T)
    z = json.loads(chart.to_json())["data"][0]["z"]
    assert (z["dtype"], z["shape"]) == ("f4", "3, 2")
    assert np.array_equal(np.frombuffer(b64decode(z["bdata"]), dtype="<f4").reshape(3, 2), values.T, equal_nan=True)


def test_chart_when_an_array_has_a_type_that_plotly_does_not_read_says_so():
    chart = Chart()
    chart.add_scatter(y=np.array([1, 2], dtype=np.int64))
    with pytest.raises(TypeError) as raised:
        chart.to_json()
    assert "int64" in str(raised.value.__cause__)


def test_change_of_neighbours_draws_both_shares_with_gaps():
    churn, agreement = np.array([np.nan, 0.5, np.nan]), np.array([0.25, 1, np.nan])
    nothing = np.empty((3, 0))
    data = Neighbours(np.arange(3), nothing, nothing.astype(int), nothing.astype(int), churn, agreement)
    new, same = change_over_training(data, EPOCHS, LIGHT, revision="r").data
    assert (list(new.x), list(new.y)) == ([0, 1, 2], [None, 0.5, None])
    assert list(same.y) == [0.25, 1, None]
    assert list(same.text) == ["t = 0, epoch 0", "t = 1, epoch 0.5", "t = 2, epoch 1"]
    alone = data._replace(churn=np.full(3, np.nan), label_agreement=np.full(3, np.nan))
    assert "No other image" in sentence_of(change_over_training(alone, EPOCHS, LIGHT, revision="r"))


def test_nearest_without_ranks_are_those_by_ranks():
    closeness = np.random.default_rng(0).integers(0, 4, (5, 9, 9)).astype(float)
    closeness[:, np.arange(9), np.arange(9)] = np.nan
    closeness[0, 0] = np.nan
    np.testing.assert_array_equal(nearest_at(closeness, 6), nearest_of(ranks_of(closeness), 6))


def test_share_over_training_draws_mean_and_bands():
    shares = np.array([[0, 1 / 4, 3 / 4, 1], [1 / 2, 1 / 2, 1 / 2, np.nan]])
    data = distribution_of(shares)
    figure = share_over_training(data, EPOCHS, LIGHT, name="share", revision="r")
    *bands, mean = figure.data
    assert list(mean.y) == [0.5, 0.5]
    assert [list(band.y) for band in bands] == [gaps(data.quantiles[:, n]) for n in (2, 6, 3, 5)]
    assert "3 values, 1 undefined" in mean.text[1]
    nothing = distribution_of(np.full((1, 4), np.nan))
    assert "begins with the second" in sentence_of(
        share_over_training(nothing, EPOCHS, LIGHT, name="share", revision="r")
    )


def test_distributions_share_their_axis_whatever_their_values_are():
    ranges = [
        distribution_over_training(distribution_of(values), EPOCHS, LIGHT, name="s", revision="r").layout.yaxis.range
        for values in (np.full((2, 9), 0.97), np.full((2, 9), 0.2))
    ]
    assert ranges == [(-0.005, 1.005)] * 2


def test_layers_beside_one_another_name_their_axes_and_share_a_scale():
    data = LayerDistributions(
        np.arange(1, 6), [distribution_of(np.random.default_rng(k).random((3, 9))) for k in range(5)]
    )
    figure = distributions_of_layers(data, list("abcde"), EPOCHS, LIGHT, title_y="similarity", revision="r")
    axes = [getattr(figure.layout, f"xaxis{n or ''}") for n in ("", 2, 3, 4, 5)]
    assert [axis.title.text for axis in axes] == [None, None, "t", "recording t", "t"]
    assert [bool(axis.showticklabels) for axis in axes[2:]] == [True] * 3
    assert "similarity" in (figure.layout.yaxis.title.text, figure.layout.yaxis4.title.text)
    assert {trace.coloraxis for trace in figure.data if trace.type == "heatmap"} == {"coloraxis"}
    assert figure.layout.coloraxis.colorbar.orientation == "h"


def test_densities_of_overlap_are_on_one_scale():
    labels, rng = np.arange(80) % 3, np.random.default_rng(0)
    overlap, distance = rng.integers(0, 30, 3160), rng.random(3160)
    data = OverlapAgainstDistance(overlap, distance, correlate(overlap, distance))
    figure = overlap_against_distance(data, labels, [str(n) for n in labels], LIGHT, revision="r")
    assert [trace.coloraxis for trace in figure.data] == ["coloraxis"] * 2
    assert figure.layout.coloraxis.cmax == pytest.approx(max(np.nanmax(trace.z) for trace in figure.data))


def test_answers_have_classes_in_the_order_of_their_numbers_and_their_own_in_bold():
    data = Answers(np.arange(3), np.array([2]), np.array([[10], [2], [-1]]), np.zeros((3, 1)))
    figure = answers_over_training(data, {2: "cat", 10: "ant"}, EPOCHS, LIGHT, revision="r")
    assert figure.layout.yaxis2.categoryarray == ("cat", "ant", "undefined")
    assert figure.layout.yaxis2.ticktext == ("<b>cat</b>", "ant", "undefined")


def test_projection_of_one_image_is_right_or_wrong_and_nothing_between():
    verdicts = np.array([[1.0, 0.0], [np.nan, 1.0]])
    data = ProjectionMap(np.arange(2), np.ones((2, 2)), verdicts, np.zeros((2, 2), dtype=np.int64))
    alone = projection_map(data, LIGHT, alone=True, revision="r").data[1]
    assert len({colour for _, colour in alone.colorscale}) == 2
    assert [*alone.colorbar.ticktext, *alone.text[0]] == ["wrong", "right", "right", "wrong"]
    assert projection_map(data, LIGHT, alone=False, revision="r").data[1].colorbar.tickformat == ".0%"


def test_layers_of_a_pair_draw_similarity_overlap_and_ranks_below_one_another():
    data = PairLayers(
        np.array([1, 2]), np.array([0.5, np.nan]), np.array([30, 4]), np.array([0, 16]), np.array([-1, 2])
    )
    figure = layers_of_pair(data, ["a", "b"], LIGHT, revision="r")
    assert [trace.y for trace in figure.data] == [(0.5, None), (30, 4), (0, 16), (None, 2)]
    assert [trace.yaxis for trace in figure.data] == [None, "y2", "y3", "y3"]
    low, high = figure.layout.yaxis3.range
    assert low > 16
    assert high < 0
