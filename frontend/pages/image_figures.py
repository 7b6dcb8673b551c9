"""The callbacks behind the image page: its head, and the neighbours that film strip and figures show."""

import asyncio
from typing import Any, Literal, TypedDict

from dash import ClientsideFunction, Dash, Input, Output, State
from dash.exceptions import PreventUpdate

from backend.db import read_scope
from backend.schemas import Quantity
from backend.series import Neighbours
from backend.services import statistics
from frontend.components.facts import Facts, Place
from frontend.components.gallery import picture
from frontend.components.image_head import image_words, partner_options
from frontend.figures.look import gaps

Scheme = Literal["light", "dark"]


class FollowedData(TypedDict):
    """What the browser needs for the film strip, and to follow other neighbours when the recording changes.

    Ranks and closeness are keyed by image, as text.
    """

    recordings: list[int]
    nearest: list[list[int]]
    ranks: dict[str, list[int]]
    closeness: dict[str, list[float | None]]
    churn: list[float | None]


def register(dash_app: Dash) -> None:
    _register_selection(dash_app)
    _register_head(dash_app)
    _register_neighbours(dash_app)


def _register_selection(dash_app: Dash) -> None:
    """Everything that the browser does alone: assets/selection*.js."""
    for name, inputs in (
        ("chosen_partner", [Input("partner", "value")]),
        ("sorted", [Input("sort", "value")]),
        ("slid", [Input("recording", "value")]),
    ):
        dash_app.clientside_callback(ClientsideFunction("selection", name), *inputs, prevent_initial_call=True)
    dash_app.clientside_callback(ClientsideFunction("selection", "neighbours"), Input("neighbours", "data"))


def _register_head(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("image-picture", "children"),
        Output("image-words", "children"),
        Output("partner", "data"),
        Input("facts", "data"),
        State("place", "data"),
        State("partner", "data"),
        prevent_initial_call=True,
    )
    async def show_head(facts: Facts, place: Place, known: list[Any]) -> tuple[Any, Any, Any]:
        i = place["image"]
        if i is None or not facts["labels"] or known:
            raise PreventUpdate
        return picture(place["run"], i, 112, f"probe image {i}"), image_words(facts, i), partner_options(facts, i)


def _register_neighbours(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("neighbours", "data"),
        Input("facts", "data"),
        Input("layer", "value"),
        Input("quantity", "value"),
        State("place", "data"),
    )
    async def show_neighbours(facts: Facts, layer: str | None, quantity: str, place: Place) -> Any:
        image = place["image"]
        if image is None:
            raise PreventUpdate
        if layer is None or not facts["labels"]:
            return None
        data = await asyncio.to_thread(_read_neighbours, place["run"], Quantity(quantity), int(layer), image)
        return followed_data(data)


def followed_data(data: Neighbours) -> FollowedData:
    """Ranks and closeness of every image that is ever among the nearest."""
    ever = sorted({int(image) for image in data.nearest.ravel() if image >= 0})
    return FollowedData(
        recordings=data.recordings.tolist(),
        nearest=data.nearest.tolist(),
        ranks={str(image): data.ranks[:, image].tolist() for image in ever},
        closeness={str(image): gaps(data.closeness[:, image]) for image in ever},
        churn=gaps(data.churn),
    )


def _read_neighbours(run: int, quantity: Quantity, layer: int, image: int) -> Neighbours:
    with read_scope() as session:
        return statistics.neighbours_of_image(session, run, quantity, layer, image)
