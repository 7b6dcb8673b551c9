"""One probe image: how its own computation changes over training, and who computes like it.

The address holds the whole selection (`frontend.components.selection`). Controls, clicks and the recording slider go
through `assets/selection_*.js`, which also moves cursors, frames and thumbnails without asking the server; the
callbacks here (`image_figures`) draw a figure when its data changes.
"""

import dash_mantine_components as dmc
from dash import Dash, dcc, html
from dash.development.base_component import Component

from backend.errors import NotFound
from backend.schemas import RunOut
from frontend.components.controls import layer_select, quantity_switch, recording_slider
from frontend.components.facts import Facts, fact_stores, read_facts, read_run
from frontend.components.image_head import image_head
from frontend.components.panel import graph, panel
from frontend.components.selection import Selection, parse_items
from frontend.components.status import run_status
from frontend.figures.rows import layers_height
from frontend.pages import image_figures
from frontend.pages.run import number

PATH_TEMPLATE = "/runs/<run_id>/images/<image>"
TITLE = "Image {image} of run {run_id}"


def layout(run_id: str, image: str, **query: str) -> Component:
    """Raises NotFound for a run or an image that does not exist; a run that waits has a page for any image."""
    run, working = read_run(number(run_id, "run"))
    facts, selection, i = read_facts(run.id), parse_items(query), number(image, "image")
    images = len(facts["labels"])
    possible = images if images or run.status.finished else run.spec.probe.size
    if i >= possible:
        exist = f"probe images 0 to {images - 1}" if images else "no probe images"
        raise NotFound(f"run {run.id} has {exist}, not image {i}")
    return html.Div(
        [
            *fact_stores(run, i, facts),
            dcc.Store(id="neighbours"),
            dcc.Interval(id="run-interval", interval=10_000),
            dmc.Group(
                [
                    dmc.Anchor(f"← {run.name}", href=f"/runs/{run.id}", size="sm", id="back-to-run"),
                    html.Div(run_status(run, working, compact=True), id="run-status", role="status"),
                ],
                justify="space-between",
                align="flex-start",
            ),
            html.Div(image_head(run, facts, i), id="image-head"),
            _bar(run, facts, selection),
            html.Div(_panels(facts, i, selection), className="image-panels"),
        ],
        className="image-page",
    )


def _bar(run: RunOut, facts: Facts, selection: Selection) -> Component:
    return html.Div(
        [
            dmc.Group(
                [layer_select(facts, selection), quantity_switch(run.spec.compared, selection)],
                gap="md",
                align="flex-end",
            ),
            recording_slider(facts, selection),
        ],
        className="view-bar",
    )


def _panels(facts: Facts, i: int, selection: Selection) -> list[Component]:
    return [*_self_similarity(facts), *_cross_path(selection), *_neighbours(i)]


def _self_similarity(facts: Facts) -> list[Component]:
    return [
        panel(
            "Self-similarity in every layer",
            "How much of its path the image kept since the recording before, layer by layer.",
            "sᵢᵗ = pᵢᵗ⁻¹ · pᵢᵗ / |pᵢᵗ⁻¹| |pᵢᵗ|: 1 means that exactly the same units are on. For activations a stands "
            "in place of p. Grey cells are undefined: no unit was on. Click a cell to choose its layer and recording.",
            graph("layers-figure", layers_height(len(facts["layers"]))),
        ),
        panel(
            "Self-similarity in this layer",
            "The image's line against the band of all probe images.",
            "The same quantity in the chosen layer. Bands hold the middle 50 % and 90 % of all images, the dashed line "
            "is their median; undefined values are left out.",
            graph("self-figure", 320),
        ),
    ]


def _cross_path(selection: Selection) -> list[Component]:
    order = dmc.SegmentedControl(
        id="sort",
        data=[{"value": "label", "label": "by label"}, {"value": "value", "label": "by newest value"}],
        value=selection.sort,
        size="xs",
        **{"aria-label": "Order of the rows"},
    )
    return [
        panel(
            "Cross-path similarity with every other image",
            "Whether the units shared with each other image are the same as a recording ago; one row per image.",
            "cᵢⱼᵗ = (pᵢᵗ ⊙ pⱼᵗ) · (pᵢᵗ⁻¹ ⊙ pⱼᵗ⁻¹) / |pᵢᵗ ⊙ pⱼᵗ| |pᵢᵗ⁻¹ ⊙ pⱼᵗ⁻¹|. Grey cells are undefined: the two "
            "images shared no unit. Click a cell to choose partner and recording; the pink frame marks the partner.",
            graph("pairs-figure", 460),
            extra=order,
        ),
        panel(
            "Cross-path similarity with the partner",
            "The chosen pair's line against the band of this image's pairs with all others.",
            "The row of the partner in the heat map. Bands hold the middle 50 % and 90 % of the pairs.",
            graph("partner-figure", 460),
        ),
    ]


def _neighbours(i: int) -> list[Component]:
    return [
        panel(
            "Neighbours over training",
            "The six images nearest at the selected recording, and which rank they had at all others.",
            "Closeness is the path overlap pᵢᵗ · pⱼᵗ, the number of units that both images switch on; for activations "
            "it is the cosine. Rank 0 is the nearest; ties go to the smaller index. The axis is logarithmic.",
            html.Div(
                [graph("ranks-figure", 380), html.Div(id="followed", className="followed", role="list")],
                className="with-legend",
            ),
        ),
        panel(
            "Closeness of these neighbours",
            "How close the same six images were at every recording.",
            "Units shared (paths) or cosine (activations): the quantity behind the ranks.",
            graph("closeness-figure", 380),
        ),
        panel(
            "Film strip of nearest neighbours",
            f"Who was nearest to image {i} at each recording, rank 0 on top.",
            "A solid frame and “=” mark images of the same label; the pink frame is the partner. Click a picture to "
            "choose it and its recording.",
            html.Div(id="film-strip", className="film-strip", tabIndex=0, role="group"),
        ),
    ]


def register(dash_app: Dash) -> None:
    image_figures.register(dash_app)
