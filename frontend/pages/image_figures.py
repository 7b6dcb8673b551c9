"""The callbacks behind the image page: one query each, then figures."""

import asyncio
from typing import Any, Literal, NamedTuple, TypedDict

from dash import ClientsideFunction, Dash, Input, Output, State
from dash.exceptions import PreventUpdate

from backend.db import read_scope
from backend.schemas import Measure, Quantity
from backend.series import ImageRows, LayerRows, Neighbours
from backend.services import statistics
from frontend.components.facts import Facts, Place, watch_figures
from frontend.components.film_strip import film_strip
from frontend.components.gallery import picture
from frontend.components.image_head import image_words, partner_options
from frontend.components.selection import parse
from frontend.figures.band import line_over_band
from frontend.figures.look import PARTNER, Look, empty, gaps
from frontend.figures.neighbours import closeness_over_training, ranks_over_training
from frontend.figures.rows import layers_over_training, pairs_over_training, row_order

Scheme = Literal["light", "dark"]
WAITING = "Layers and images are known once the trainer has loaded the data and built the net."


class View(NamedTuple):
    """What every figure of the page depends on."""

    run: int
    image: int
    layer: int
    look: Look
    epochs: list[float]
    t: int | None

    @property
    def revision(self) -> str:
        """Zoom is kept as long as this stays."""
        return f"{self.image} {self.layer} {self.look.quantity}"


class FollowedData(TypedDict):
    """What the browser needs to follow other neighbours when the recording changes: keyed by image, as text."""

    recordings: list[int]
    nearest: list[list[int]]
    ranks: dict[str, list[int]]
    closeness: dict[str, list[float | None]]


SHARED = (
    Input("facts", "data"),
    Input("layer", "value"),
    Input("quantity", "value"),
    Input("run-theme", "data"),
)
WHERE = (State("place", "data"), State("url", "search"))


def view_of(
    facts: Facts, layer: str | None, quantity: str, theme: Scheme | None, place: Place, search: str | None
) -> View | Look:
    """The view, or only its look while there is nothing to see. Raises PreventUpdate before the theme is known."""
    if theme is None or place["image"] is None:
        raise PreventUpdate
    look = Look(theme, Quantity(quantity))
    if layer is None or not facts["labels"]:
        return look
    chosen = parse(search or "").t
    t = newest(facts) if chosen is None else chosen
    return View(place["run"], place["image"], int(layer), look, facts["epochs"], t)


def newest(facts: Facts) -> int | None:
    return len(facts["epochs"]) - 1 if facts["epochs"] else None


def register(dash_app: Dash) -> None:
    _register_selection(dash_app)
    _register_head(dash_app)
    _register_self_similarity(dash_app)
    _register_cross_path(dash_app)
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
    dash_app.clientside_callback(ClientsideFunction("selection", "drawn"), Input("film-strip", "children"))
    names = ("layers", "self", "pairs", "partner", "ranks", "closeness")
    watch_figures(dash_app, *(f"{name}-figure" for name in names))


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


def _register_self_similarity(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("layers-figure", "figure"),
        Input("facts", "data"),
        Input("quantity", "value"),
        Input("run-theme", "data"),
        State("layer", "value"),
        *WHERE,
    )
    async def show_layers(
        facts: Facts, quantity: str, theme: Scheme | None, layer: str | None, place: Place, search: str | None
    ) -> Any:
        view = view_of(facts, layer, quantity, theme, place, search)
        if isinstance(view, Look):
            return empty(WAITING, view)
        rows = await asyncio.to_thread(_read_layers, view)
        names = [layer["name"] for layer in facts["layers"]]
        revision = f"{view.image} {view.look.quantity}"
        return layers_over_training(rows, names, view.epochs, view.look, layer=view.layer, revision=revision, t=view.t)

    @dash_app.callback(Output("self-figure", "figure"), *SHARED, *WHERE)
    async def show_self(facts: Facts, *shared: Any) -> Any:
        view = view_of(facts, *shared)
        if isinstance(view, Look):
            return empty(WAITING, view)
        rows = await asyncio.to_thread(_read_self, view)
        return line_over_band(
            rows,
            view.image,
            view.epochs,
            view.look,
            title_y="self-similarity",
            name=facts["names"][view.image],
            colour=view.look.line,
            revision=view.revision,
            t=view.t,
        )


def _register_cross_path(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("pairs-figure", "figure"), *SHARED, Input("sort", "value"), *WHERE, State("partner", "value")
    )
    async def show_pairs(facts: Facts, *rest: Any) -> Any:
        layer, quantity, theme, sort, place, search, partner = rest
        view = view_of(facts, layer, quantity, theme, place, search)
        if isinstance(view, Look):
            return empty(WAITING, view, 460)
        rows = await asyncio.to_thread(_read_pairs, view)
        return pairs_over_training(
            rows,
            row_order(rows, facts["labels"], view.image, sort),
            facts["names"],
            view.epochs,
            view.look,
            partner=None if partner is None else int(partner),
            revision=f"{view.revision} {sort}",
            t=view.t,
        )

    @dash_app.callback(Output("partner-figure", "figure"), *SHARED, Input("partner", "value"), *WHERE)
    async def show_partner(facts: Facts, *rest: Any) -> Any:
        layer, quantity, theme, partner, place, search = rest
        view = view_of(facts, layer, quantity, theme, place, search)
        if isinstance(view, Look):
            return empty(WAITING, view, 460)
        rows = await asyncio.to_thread(_read_pairs, view)
        chosen = None if partner is None else int(partner)
        return line_over_band(
            rows,
            chosen,
            view.epochs,
            view.look,
            title_y="cross-path similarity",
            name="" if chosen is None else f"with {facts['names'][chosen]}",
            colour=PARTNER,
            revision=view.revision,
            t=view.t,
        )


def _register_neighbours(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("ranks-figure", "figure"),
        Output("closeness-figure", "figure"),
        Output("film-strip", "children"),
        Output("neighbours", "data"),
        *SHARED,
        *WHERE,
    )
    async def show_neighbours(facts: Facts, *shared: Any) -> Any:
        view = view_of(facts, *shared)
        if isinstance(view, Look):
            return empty(WAITING, view, 380), empty(WAITING, view, 380), WAITING, None
        data = await asyncio.to_thread(_read_neighbours, view)
        figures = [
            draw(data, facts["names"], view.epochs, view.look, revision=view.revision, t=view.t)
            for draw in (ranks_over_training, closeness_over_training)
        ]
        return *figures, film_strip(data, facts, view.image), followed_data(data)


def followed_data(data: Neighbours) -> FollowedData:
    """Ranks and closeness of every image that is ever among the nearest."""
    ever = sorted({int(image) for image in data.nearest.ravel() if image >= 0})
    return FollowedData(
        recordings=data.recordings.tolist(),
        nearest=data.nearest.tolist(),
        ranks={str(image): data.ranks[:, image].tolist() for image in ever},
        closeness={str(image): gaps(data.closeness[:, image]) for image in ever},
    )


def _read_layers(view: View) -> LayerRows:
    with read_scope() as session:
        return statistics.self_similarity_of_image(session, view.run, view.look.quantity, view.image)


def _read_self(view: View) -> ImageRows:
    with read_scope() as session:
        return statistics.self_similarity_of_images(session, view.run, view.look.quantity, view.layer)


def _read_pairs(view: View) -> ImageRows:
    with read_scope() as session:
        return statistics.pairs_of_image(
            session, view.run, Measure.CROSS_PATH, view.look.quantity, view.layer, view.image
        )


def _read_neighbours(view: View) -> Neighbours:
    with read_scope() as session:
        return statistics.neighbours_of_image(session, view.run, view.look.quantity, view.layer, view.image)
