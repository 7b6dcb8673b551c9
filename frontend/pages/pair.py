"""Two probe images side by side: whether they meet on the same units, how close they are, what rank each other has.

The figures are views of the registry; assets/selection*.js keeps layer, quantity and recording in the address.
"""

import dash_mantine_components as dmc
from dash import Dash, dcc, html
from dash.development.base_component import Component

from backend.errors import NotFound
from frontend.components.controls import layer_select, quantity_switch, recording_slider
from frontend.components.facts import Facts, fact_stores, read_facts, read_run
from frontend.components.gallery import image_url, picture
from frontend.components.image_head import image_words
from frontend.components.panel import option, view_panel
from frontend.components.selection import parse_items
from frontend.components.status import run_status
from frontend.figures.rows import layers_height
from frontend.pages.run import number
from frontend.views.image import PAIR_CROSS_PATH
from frontend.views.pair import PAIR_CLOSENESS, PAIR_LAYERS, PAIR_LAYERS_OVER_TRAINING, PAIR_RANKS

PATH_TEMPLATE = "/runs/<run_id>/pairs/<image>/<partner>"
TITLE = "Images {image} and {partner} of run {run_id}"

VIEWS = (PAIR_CROSS_PATH, PAIR_CLOSENESS, PAIR_RANKS, PAIR_LAYERS)
SIMILARITIES = (("cross_path", "Cross-path"), ("closeness", "Closeness"))
HEIGHT = 340


def layout(run_id: str, image: str, partner: str, **query: str) -> Component:
    """Raises NotFound for a run or images that do not exist, and for one image twice."""
    run, working = read_run(number(run_id, "run"))
    facts, selection = read_facts(run.id), parse_items(query)
    i, j = number(image, "image"), number(partner, "image")
    images = len(facts["labels"]) or run.spec.probe.size
    if max(i, j) >= images:
        raise NotFound(f"run {run.id} has probe images 0 to {images - 1}, not image {max(i, j)}")
    if i == j:
        raise NotFound(f"a pair needs two different images, not image {i} twice")
    return html.Div(
        [
            *fact_stores(run, i, facts),
            dcc.Interval(id="run-interval", interval=10_000),
            dmc.Group(
                [
                    dmc.Anchor(f"← {run.name}", href=f"/runs/{run.id}", size="sm", id="back-to-run"),
                    html.Div(run_status(run, working, compact=True), id="run-status", role="status"),
                ],
                justify="space-between",
            ),
            dmc.Title(f"Images {i} and {j}", order=1, size="h2", id="pair-title"),
            html.Div(
                [_card(run.id, facts, one) for one in (i, j)]
                + [dmc.Anchor("Seen the other way round", href=f"/runs/{run.id}/pairs/{j}/{i}", size="sm")],
                className="pair-head",
            ),
            html.Div(
                [
                    dmc.Group(
                        [layer_select(facts, selection), quantity_switch(run.spec.compared, selection)],
                        gap="md",
                        align="flex-end",
                    ),
                    recording_slider(facts, selection),
                ],
                className="view-bar",
            ),
            html.Div(
                [view_panel(view, fixed=[{"partner": str(j)}], height=HEIGHT) for view in VIEWS] + [_layers(facts, j)],
                className="image-panels pair-panels",
            ),
        ],
        className="image-page pair-page",
    )


def _layers(facts: Facts, partner: int) -> Component:
    panel = view_panel(
        PAIR_LAYERS_OVER_TRAINING,
        fixed=[{"partner": str(partner)}],
        leave_out=["layer"],
        options=[option(PAIR_LAYERS_OVER_TRAINING, "measure", SIMILARITIES, "Measure")],
        height=layers_height(len(facts["layers"])),
    )
    return html.Div(panel, className="wide")


def _card(run_id: int, facts: Facts, image: int) -> Component:
    known = bool(facts["labels"])
    return html.Div(
        [
            picture(run_id, image, 112, f"probe image {image}") if known else None,
            html.Div(
                [
                    dmc.Anchor(f"Probe image {image}", href=image_url(run_id, image), className="pair-image"),
                    dmc.Text(image_words(facts, image), c="dimmed", size="sm"),
                ]
            ),
        ],
        className="pair-card",
    )


def register(_dash_app: Dash) -> None:
    """The run page registers what the pages of one run have in common."""
