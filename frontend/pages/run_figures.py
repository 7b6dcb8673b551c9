"""The figures of the run page, in the order of the page; `assets/views.js` draws them."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from backend.schemas import Quantity
from frontend.components.facts import Facts
from frontend.components.panel import axis_option, option, option_of, panel, view_panel
from frontend.figures.multiples import multiples_height
from frontend.figures.rows import layers_height
from frontend.views import further, layers, neighbours, pairs, similarity, training
from frontend.views.view import View

SIMILARITIES = (("cross_path", "Cross-path"), ("self_similarity", "Self-similarity"))
SORTS = (
    ("label", "label"),
    ("index", "index"),
    ("self_similarity", "self-similarity"),
    ("churn", "churn"),
    ("loss", "loss"),
    ("cross_path", "mean cross-path"),
)


def run_figures(quantities: tuple[Quantity, ...], facts: Facts) -> list[Component]:
    """Panels two in a row, wide ones alone."""
    count = len(facts["layers"]) or 7
    return [
        view_panel(training.TRAINING, options=[axis_option(training.TRAINING, "Axis of the loss")]),
        _with_measure(layers.LAYER_MEDIANS, layers_height(count, layers.LAYER_MEDIANS.height), leave_out=["layer"]),
        *(
            _both(view, quantities)
            for view in (similarity.CROSS_PATH_OVER_TRAINING, similarity.SELF_SIMILARITY_OVER_TRAINING)
        ),
        html.Div(_with_measure(layers.LAYER_DISTRIBUTIONS, multiples_height(count)), className="wide"),
        _matrix(),
        _overlap(),
        view_panel(layers.TWO_TIMES_MEAN),
        view_panel(layers.EARLY_TO_MID),
        _neighbours(),
        _functions(),
        html.Div(view_panel(further.PROJECTION_MEAN), className="wide"),
    ]


def _both(view: View, quantities: tuple[Quantity, ...]) -> Component:
    """Paths and activations side by side, as far as they are recorded."""
    return html.Div(view_panel(view, fixed=[{"quantity": one.value} for one in quantities]), className="wide")


def _with_measure(view: View, height: int, leave_out: Sequence[str] = ()) -> Component:
    return view_panel(
        view, options=[option(view, "measure", SIMILARITIES, "Measure")], leave_out=leave_out, height=height
    )


def _matrix() -> Component:
    orders = (("label", "by label"), ("index", "by index"), ("cluster", "clustered"))
    measures = (("cross_path", "Cross-path"), ("closeness", "Closeness"))
    view = pairs.PAIR_MATRIX
    return view_panel(
        view,
        html.Div(id="chosen-pair", className="chosen-pair", role="status"),
        options=[option(view, "measure", measures, "Measure"), option(view, "order", orders, "Order of the images")],
    )


def _overlap() -> Component:
    return view_panel(pairs.OVERLAP_DISTANCE, html.Div(id="pairs-inside", role="status", className="pairs-inside"))


def _neighbours() -> Component:
    kinds = (("churn", "New"), ("label_agreement", "Same label"))
    view = neighbours.CHANGING_NEIGHBOURS
    return view_panel(view, options=[option(view, "measure", kinds, "Which neighbours")])


def _functions() -> Component:
    view = further.IMAGE_FUNCTION
    kinds = (("closeness", "Between images"), ("self_similarity", "Of an image, t − 1 to t"))
    return view_panel(view, options=[option(view, "measure", kinds, "Comparison")])


def probe_images() -> Component:
    """Its pictures are made in the browser (assets/views_gallery.js); as components of Dash they took a second."""
    return panel(
        "Probe images",
        "The training images whose paths are recorded, with what the net says of each at the chosen recording.",
        "They are drawn once, stay the same for the whole run, and pass through the net in eval mode without "
        "augmentation. ✓ and ✗: whether the class of the largest logit is the label. Loss is the cross-entropy with "
        "the "
        "label; self-similarity, churn (the share of the 6 nearest that are new since the recording before) and mean "
        "cross-path similarity are those of the chosen layer. Choose an image to see how its computation changes.",
        html.Div(
            [
                option_of("gallery.sort", SORTS, "Order of the images"),
                html.Span(id="gallery-search"),  # the browser puts the field here: typing is no business of Dash's
                html.Span(id="gallery-count", role="status", className="dimmed"),
            ],
            className="gallery-bar",
        ),
        html.Div(id="gallery", className="gallery"),
    )
