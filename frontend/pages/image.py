"""One probe image: how its own computation changes over training, and who computes like it.

The address holds the whole selection (`frontend.components.selection`). Controls, clicks and the recording slider go
through `assets/selection_*.js`, which also moves cursors, frames and thumbnails; `assets/views.js` asks for figures.
"""

import asyncio
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from backend.errors import NotFound
from backend.schemas import RunOut
from frontend.components.controls import layer_select, quantity_switch, recording_slider
from frontend.components.facts import Facts, Place, fact_stores, read_facts, read_run
from frontend.components.gallery import picture
from frontend.components.image_head import image_head, image_words, partner_options
from frontend.components.panel import axis_option, panel, view_panel
from frontend.components.selection import Selection, parse_items
from frontend.components.status import run_status
from frontend.figures.rows import layers_height
from frontend.pages.run import number
from frontend.views import further, image, layers, neighbours

PATH_TEMPLATE = "/runs/<run_id>/images/<image>"
TITLE = "Image {image} of run {run_id}"


def layout(run_id: str, image: str, **query: str) -> Component:
    """Raises NotFound for a run or an image that does not exist; a run that waits has a page for any image."""
    run, why = read_run(number(run_id, "run"))
    facts, selection, i = read_facts(run.id), parse_items(query), number(image, "image")
    images = len(facts["labels"])
    possible = images if images or run.status.finished else run.spec.probe.size
    if i >= possible:
        exist = f"probe images 0 to {images - 1}" if images else "no probe images"
        raise NotFound(f"run {run.id} has {exist}, not image {i}")
    return html.Div(
        [
            *fact_stores(run, i, facts),
            dcc.Interval(id="run-interval", interval=10_000),
            dmc.Group(
                [
                    dmc.Anchor(f"← {run.name}", href=f"/runs/{run.id}", size="sm", id="back-to-run"),
                    html.Div(run_status(run, why, compact=True), id="run-status", role="status"),
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
    order = dmc.SegmentedControl(
        id="sort",
        data=[{"value": "label", "label": "by label"}, {"value": "value", "label": "by newest value"}],
        value=selection.sort,
        size="xs",
        **{"aria-label": "Order of the rows"},
    )
    height = layers_height(len(facts["layers"]))
    axis = axis_option(image.NEIGHBOUR_CLOSENESS, "Axis of closeness")
    legend = html.Div(id="followed", className="followed", role="list")
    return [
        view_panel(image.IMAGE_LAYERS, height=height, leave_out=["layer"]),
        view_panel(image.IMAGE_SELF_SIMILARITY),
        view_panel(image.IMAGE_CROSS_PATH, options=[order]),
        view_panel(image.PAIR_CROSS_PATH),
        view_panel(image.NEIGHBOUR_RANKS, legend, leave_out=["recording"]),
        view_panel(image.NEIGHBOUR_CLOSENESS, options=[axis], leave_out=["recording"]),
        view_panel(neighbours.IMAGE_CHANGING_NEIGHBOURS),
        view_panel(further.IMAGE_ANSWERS),
        view_panel(layers.IMAGE_TWO_TIMES),
        view_panel(further.IMAGE_PROJECTION),
        html.Div(_film_strip(i), className="wide"),
    ]


def _film_strip(i: int) -> Component:
    return panel(
        "Film strip of nearest neighbours",
        f"Who was nearest to image {i} at each recording, rank 0 on top.",
        "A solid frame and “=” mark images of the same label; the pink frame is the partner. Click a picture to "
        "choose it and its recording.",
        html.Div(id="film-strip", className="film-strip", tabIndex=0, role="group"),
    )


def register(dash_app: Dash) -> None:
    for name, control in (("chosen_partner", "partner"), ("sorted", "sort")):
        dash_app.clientside_callback(
            ClientsideFunction("selection", name), Input(control, "value"), prevent_initial_call=True
        )

    @dash_app.callback(
        Output("image-picture", "children"),
        Output("image-words", "children"),
        Output("partner", "data"),
        Input("images-known", "data"),
        State("place", "data"),
        prevent_initial_call=True,
    )
    async def show_head(_images: int, place: Place) -> tuple[Any, Any, Any]:
        facts, i = await asyncio.to_thread(read_facts, place["run"]), place["image"] or 0
        return picture(place["run"], i, 112, f"probe image {i}"), image_words(facts, i), partner_options(facts, i)
