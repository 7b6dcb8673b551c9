"""One run: how it stands, how well its net learns, how similar its paths stay, and its probe images."""

import asyncio
from typing import Any, Literal

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from backend.db import read_scope, session_scope
from backend.errors import NotFound
from backend.schemas import Measure, Quantity, RunOut, RunStatus
from backend.series import Distribution
from backend.services import events, recordings, runs, statistics
from frontend.components import facts as run_facts
from frontend.components.controls import layer_select, quantity_switch
from frontend.components.facts import Facts, Place, Version, fact_stores, read_facts, read_run
from frontend.components.gallery import gallery
from frontend.components.icons import icon
from frontend.components.panel import graph, panel
from frontend.components.selection import parse, parse_items
from frontend.components.status import run_status
from frontend.figures.distribution import distribution_over_training
from frontend.figures.look import Look, empty
from frontend.figures.training import TrainingCurves, curves_of, training_curves

PATH_TEMPLATE = "/runs/<run_id>"
TITLE = "Run {run_id}"

Scheme = Literal["light", "dark"]


def number(text: str, what: str) -> int:
    """A whole number from an address. Raises NotFound."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotFound(f"there is no {what} {text!r}; a number is expected")
    return int(text)


def layout(run_id: str, **query: str) -> Component:
    """Raises NotFound."""
    run, working = read_run(number(run_id, "run"))
    facts, selection = read_facts(run.id), parse_items(query)
    return html.Div(
        [
            *fact_stores(run, None, facts),
            dcc.Store(id="images-shown", data=len(facts["labels"])),
            dcc.Interval(id="run-interval", interval=10_000),
            _header(run),
            html.Div(run_status(run, working, compact=False), id="run-status", role="status"),
            _description(run),
            dmc.Grid(
                [
                    dmc.GridCol(_learning(), span={"base": 12, "lg": 5}),
                    dmc.GridCol(
                        _similarity(
                            dmc.Group([layer_select(facts, selection), quantity_switch(run.spec.compared, selection)])
                        ),
                        span={"base": 12, "lg": 7},
                    ),
                ],
                gutter="md",
            ),
            _probe_images(facts),
            _log(run),
            _delete_dialog(run),
        ],
        className="run-page",
    )


def _header(run: RunOut) -> Component:
    return dmc.Group(
        [
            html.Div(
                [
                    dmc.Anchor("← All runs", href="/", size="sm"),
                    dmc.Title(run.name, order=1, size="h2", id="run-name"),
                ]
            ),
            dmc.Group(
                [
                    dmc.Button("Cancel", id="cancel-run", leftSection=icon("stop"), variant="default"),
                    dmc.Anchor(
                        dmc.Button("Clone", leftSection=icon("copy"), variant="default"),
                        href=f"/new?clone={run.id}",
                        id="clone-run",
                    ),
                    dmc.Button("Delete", id="delete-run", leftSection=icon("trash"), variant="default", color="red"),
                ],
                gap="xs",
            ),
        ],
        justify="space-between",
        align="flex-end",
    )


def _description(run: RunOut) -> Component:
    spec = run.spec
    rate = f"learning rate {spec.optimiser.lr:g}, {spec.lr_schedule.kind}"
    words = [
        spec.net,
        spec.dataset,
        f"{spec.epochs} epochs",
        f"batches of {spec.batch_size}",
        rate,
        f"seed {spec.seed}",
    ]
    tags = [dmc.Badge(tag, variant="default", radius="sm", tt="none") for tag in spec.tags]
    return dmc.Stack(
        [
            dmc.Group([dmc.Text(" · ".join(words), size="sm", c="dimmed"), *tags], gap="xs"),
            *([dmc.Text(spec.notes, size="sm", style={"whiteSpace": "pre-wrap"})] if spec.notes else []),
        ],
        gap=4,
    )


def _learning() -> Component:
    return panel(
        "Learning",
        "Loss and accuracy at each recording, and where the learning rate falls.",
        "Measured on all clean training and test images in eval mode, never on augmented ones. The loss is the mean "
        "cross-entropy. Dashed vertical lines mark learning-rate decays.",
        graph("training-figure", 460, linked=False),
    )


def _similarity(controls: Component) -> Component:
    return panel(
        "Paths from recording to recording",
        "How alike two recordings in a row are, over all pairs of images and over all images.",
        "Columns of shades are histograms, the thick line is the median, thin lines the 25–75 % and the dotted ones "
        "the 5–95 % range. Below 1 an image uses other units than a recording ago. Undefined values (no shared unit) "
        "are left out and counted in the hover text.",
        controls,
        dmc.Title("Cross-path similarity", order=4, size="h5", mt="sm"),
        dmc.Text(
            "(pᵢᵗ ⊙ pⱼᵗ) · (pᵢᵗ⁻¹ ⊙ pⱼᵗ⁻¹) / |pᵢᵗ ⊙ pⱼᵗ| |pᵢᵗ⁻¹ ⊙ pⱼᵗ⁻¹| over all pairs i ≠ j", size="xs", c="dimmed"
        ),
        graph("cross-path-figure", 320),
        dmc.Title("Self-similarity", order=4, size="h5", mt="sm"),
        dmc.Text("pᵢᵗ⁻¹ · pᵢᵗ / |pᵢᵗ⁻¹| |pᵢᵗ| over all images i", size="xs", c="dimmed"),
        graph("self-similarity-figure", 320),
    )


def _probe_images(facts: Facts) -> Component:
    return panel(
        "Probe images",
        "The training images whose paths are recorded; choose one to see how its computation changes.",
        "They are drawn once, stay the same for the whole run, and pass through the net in eval mode without "
        "augmentation.",
        html.Div(_gallery(facts), id="gallery", className="gallery"),
    )


def _gallery(facts: Facts) -> list[Component]:
    return gallery(facts) or [dmc.Text("They appear here as soon as the data is loaded.", c="dimmed", py="lg")]


def _log(run: RunOut) -> Component:
    return html.Details(
        [
            html.Summary("Log of the trainer"),
            dmc.ScrollArea(html.Pre(id="run-log", className="log", tabIndex=0), mah=360, type="auto"),
        ],
        open=run.status is RunStatus.FAILED,
        id="run-log-details",
        className="explained",
    )


def _delete_dialog(run: RunOut) -> Component:
    return dmc.Modal(
        [
            dmc.Text(f"“{run.name}”, its recordings and its files will be gone for good."),
            dmc.Group(
                [
                    dmc.Button("Keep it", id="delete-no", variant="default"),
                    dmc.Button("Delete", id="delete-yes", color="red"),
                ],
                justify="flex-end",
                mt="md",
            ),
        ],
        id="delete-dialog",
        title="Delete this run?",
        opened=False,
    )


def register(dash_app: Dash) -> None:
    run_facts.register(dash_app)
    _register_actions(dash_app)
    _register_figures(dash_app)
    dash_app.clientside_callback(
        ClientsideFunction("selection", "chosen_layer"),
        Input("layer", "value"),
        Input("quantity", "value"),
        prevent_initial_call=True,
    )
    run_facts.watch_figures(dash_app, "training-figure", "cross-path-figure", "self-similarity-figure")

    # Probe images come once; asked at each recording, the gallery would be sent to the server and back.
    dash_app.clientside_callback(
        ClientsideFunction("selection", "more_images"),
        Output("images-shown", "data"),
        Input("facts", "data"),
        State("images-shown", "data"),
        prevent_initial_call=True,
    )

    @dash_app.callback(
        Output("gallery", "children"), Input("images-shown", "data"), State("facts", "data"), prevent_initial_call=True
    )
    async def show_gallery(_shown: int, facts: Facts) -> Any:
        return _gallery(facts)

    @dash_app.callback(
        Output("run-log", "children"),
        Input("run-version", "data"),
        Input("run-interval", "n_intervals"),
        Input("run-log-details", "n_clicks"),
        State("place", "data"),
    )
    async def show_log(_version: Version, _intervals: int, _clicks: int, place: Place) -> str:
        return await asyncio.to_thread(_read_log, place["run"])


def _read_log(run_id: int) -> str:
    with read_scope() as session:
        lines = events.log_lines_after(session, run_id, 0)
    return "\n".join(line.text for line in lines[-500:]) or "The trainer has not printed anything."


def _register_actions(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("cancel-run", "disabled"),
        Output("delete-run", "disabled"),
        Input("run-version", "data"),
    )
    async def allow(version: list[Any]) -> tuple[bool, bool]:
        finished = RunStatus(version[0]).finished
        return finished, not finished

    @dash_app.callback(
        Output("run-tick", "data", allow_duplicate=True),
        Input("cancel-run", "n_clicks"),
        State("place", "data"),
        prevent_initial_call=True,
    )
    async def cancel(clicks: int | None, place: Place) -> Any:
        if not clicks:
            raise PreventUpdate
        await asyncio.to_thread(_cancel, place["run"])
        return f"cancelled {clicks}"

    @dash_app.callback(
        Output("delete-dialog", "opened"),
        Input("delete-run", "n_clicks"),
        Input("delete-no", "n_clicks"),
        prevent_initial_call=True,
    )
    async def ask(_delete: int | None, _keep: int | None) -> bool:
        return bool(ctx.triggered_id == "delete-run" and _delete)

    @dash_app.callback(
        Output("url", "pathname", allow_duplicate=True),
        Input("delete-yes", "n_clicks"),
        State("place", "data"),
        prevent_initial_call=True,
    )
    async def delete(clicks: int | None, place: Place) -> str:
        if not clicks:
            raise PreventUpdate
        await asyncio.to_thread(_delete, place["run"])
        return "/"


def _cancel(run_id: int) -> None:
    with session_scope() as session:
        runs.cancel(session, run_id)


def _delete(run_id: int) -> None:
    with session_scope() as session:
        runs.delete(session, run_id)


def _register_figures(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("training-figure", "figure"), Input("facts", "data"), Input("run-theme", "data"), State("place", "data")
    )
    async def show_training(_facts: Facts, theme: Scheme | None, place: Place) -> Any:
        if theme is None:
            raise PreventUpdate
        return training_curves(await asyncio.to_thread(_read_curves, place["run"]), Look(theme))

    for measure, figure_id, name in (
        (Measure.CROSS_PATH, "cross-path-figure", "cross-path similarity"),
        (Measure.SELF_SIMILARITY, "self-similarity-figure", "self-similarity"),
    ):
        _register_distribution(dash_app, measure, figure_id, name)


def _register_distribution(dash_app: Dash, measure: Measure, figure_id: str, name: str) -> None:
    @dash_app.callback(
        Output(figure_id, "figure"),
        Input("facts", "data"),
        Input("layer", "value"),
        Input("quantity", "value"),
        Input("run-theme", "data"),
        State("place", "data"),
        State("url", "search"),
    )
    async def show(
        facts: Facts, layer: str | None, quantity: str, theme: Scheme | None, place: Place, search: str | None
    ) -> Any:
        if theme is None:
            raise PreventUpdate
        look = Look(theme, Quantity(quantity))
        if layer is None:
            return empty("Layers are known once the net is built.", look)
        data = await asyncio.to_thread(_read_distribution, place["run"], measure, look.quantity, int(layer))
        revision, t = f"{layer} {quantity}", parse(search or "").t
        return distribution_over_training(data, facts["epochs"], look, name=name, revision=revision, t=t)


def _read_curves(run_id: int) -> TrainingCurves:
    with read_scope() as session:
        decays = runs.get_run(session, run_id).spec.decays
        return curves_of(recordings.list_recordings(session, run_id), decays)


def _read_distribution(run_id: int, measure: Measure, quantity: Quantity, layer: int) -> Distribution:
    with read_scope() as session:
        return statistics.distribution(session, run_id, measure, quantity, layer)
