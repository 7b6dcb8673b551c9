"""Two probe images side by side: whether they meet on the same units, how close they are, what rank each other has.

The figures are views of the registry; assets/selection*.js keeps layer, quantity and recording in the address.
"""

import asyncio
from typing import Any, Literal

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from backend.db import read_scope
from backend.errors import AppError, NotFound
from backend.schemas import Quantity
from frontend.components.controls import layer_select, quantity_switch, recording_slider
from frontend.components.facts import Facts, Place, fact_stores, read_facts, read_run, watch_figures
from frontend.components.gallery import image_url, picture
from frontend.components.image_head import image_words
from frontend.components.panel import graph, panel
from frontend.components.selection import parse, parse_items
from frontend.components.status import run_status
from frontend.figures.look import Look, cursor, empty
from frontend.pages.run import number
from frontend.views.choice import scene_of
from frontend.views.image import PAIR_CROSS_PATH
from frontend.views.pair import PAIR_CLOSENESS, PAIR_LAYERS, PAIR_RANKS
from frontend.views.view import Chosen, View

PATH_TEMPLATE = "/runs/<run_id>/pairs/<image>/<partner>"
TITLE = "Images {image} and {partner} of run {run_id}"

VIEWS = (PAIR_CROSS_PATH, PAIR_CLOSENESS, PAIR_RANKS)
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
    stores = fact_stores(run, i, facts)
    return html.Div(
        [
            *stores,
            dcc.Store(id="pair-partner", data=j),
            dcc.Store(id="pair-recording"),
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
            html.Div([_panel(view) for view in (*VIEWS, PAIR_LAYERS)], className="image-panels pair-panels"),
        ],
        className="image-page pair-page",
    )


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


def _panel(view: View) -> Component:
    linked = view is not PAIR_LAYERS
    return panel(view.title, view.shows, view.definition, graph(f"{view.name}-of-pair", HEIGHT, linked=linked))


def register(dash_app: Dash) -> None:
    watch_figures(dash_app, *(f"{view.name}-of-pair" for view in (*VIEWS, PAIR_LAYERS)))
    dash_app.clientside_callback(
        ClientsideFunction("selection", "recording_of"), Output("pair-recording", "data"), Input("url", "search")
    )
    for view in VIEWS:
        _register(dash_app, view, Input("layer", "value"))
    _register(dash_app, PAIR_LAYERS, Input("pair-recording", "data"))


def _register(dash_app: Dash, view: View, chosen: Input) -> None:
    @dash_app.callback(
        Output(f"{view.name}-of-pair", "figure"),
        Input("facts", "data"),
        Input("quantity", "value"),
        Input("run-theme", "data"),
        chosen,
        State("place", "data"),
        State("pair-partner", "data"),
        State("url", "search"),
    )
    async def show(
        facts: Facts,
        quantity: str,
        theme: Literal["light", "dark"] | None,
        value: str | int | None,
        place: Place,
        partner: int,
        search: str | None,
    ) -> Any:
        if theme is None or place["image"] is None:
            raise PreventUpdate
        t = parse(search or "").t
        asked = {"image": place["image"], "partner": partner, "quantity": Quantity(quantity)}
        if "layer" in view.parameters:
            asked |= {"layer": int(value)} if value is not None else {}
        elif t is not None:
            asked |= {"recording": min(t, len(facts["epochs"]) - 1)} if facts["epochs"] else {}
        return await asyncio.to_thread(_draw, view, facts, Chosen.model_validate(asked), theme, t)


def _draw(view: View, facts: Facts, asked: Chosen, theme: Literal["light", "dark"], t: int | None) -> Any:
    look = Look(theme, asked.quantity or Quantity.PATH)
    try:
        scene = scene_of(view, facts, asked, theme)
        with read_scope() as session:
            figure = view.draw(view.read(session, scene), scene)
    except AppError as error:
        return empty(error.detail, look, HEIGHT)
    figure.update_layout(height=HEIGHT)
    if figure.layout.shapes:
        newest = len(facts["epochs"]) - 1
        figure.layout.shapes = [cursor(newest if t is None else min(t, newest), look)]
    return figure
