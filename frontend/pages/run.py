"""One run: how it stands, what it may be told to do, and every figure of it."""

import asyncio
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from backend.access import may_change
from backend.errors import NotFound
from backend.schemas import RunOut
from frontend.components import facts as run_facts
from frontend.components import run_actions
from frontend.components import run_spec as run_specs
from frontend.components.controls import layer_select, quantity_switch, recording_slider
from frontend.components.facts import Facts, Place, fact_stores, read_facts, read_run
from frontend.components.panel import attributes
from frontend.components.run_log import run_log
from frontend.components.run_spec import run_spec
from frontend.components.selection import Selection, parse_items
from frontend.components.status import run_status
from frontend.pages.run_figures import probe_images, run_figures

PATH_TEMPLATE = "/runs/<run_id>"
TITLE = "Run {run_id}"


def number(text: str, what: str) -> int:
    """A whole number from an address. Raises NotFound."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotFound(f"there is no {what} {text!r}; a number is expected")
    return int(text)


def layout(run_id: str, **query: str) -> Component:
    """Raises NotFound."""
    run, why = read_run(number(run_id, "run"))
    facts, selection = read_facts(run.id), parse_items(query)
    return html.Div(
        [
            *fact_stores(run, None, facts),
            dcc.Interval(id="run-interval", interval=10_000),
            _header(run),
            html.Div(run_status(run, why, compact=False), id="run-status", role="status"),
            html.Div(_description(run), id="run-description"),
            run_spec(),
            _bar(run, facts, selection),
            html.Div(run_figures(run.spec.compared, facts), className="run-panels"),
            probe_images(),
            run_log(run),
        ],
        className="run-page",
        **attributes({"data-title": f"{run.name} · run {run.id}"}),
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
            run_actions.run_actions(run),
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
        *([f"submitted by {run.submitted_by}"] if run.submitted_by else []),
    ]
    sweep = [dmc.Anchor(f"sweep {run.sweep}", href=f"/sweeps/{run.sweep}", size="sm")] if run.sweep else []
    address = f"/webhooks?run={run.id}"
    hooks = [dmc.Anchor("Webhooks", href=address, id="run-webhooks", size="sm")] if may_change(run.submitted_by) else []
    tags = [dmc.Badge(tag, variant="default", radius="sm", tt="none") for tag in run.tags]
    return dmc.Stack(
        [
            dmc.Group([dmc.Text(" · ".join(words), size="sm", c="dimmed"), *sweep, *hooks, *tags], gap="xs"),
            *([dmc.Text(run.notes, size="sm", style={"whiteSpace": "pre-wrap"})] if run.notes else []),
        ],
        gap=4,
    )


def _bar(run: RunOut, facts: Facts, selection: Selection) -> Component:
    controls = [layer_select(facts, selection), quantity_switch(run.spec.compared, selection)]
    return html.Div(
        [dmc.Group(controls, gap="md", align="flex-end"), recording_slider(facts, selection)], className="view-bar"
    )


def register(dash_app: Dash) -> None:
    run_facts.register(dash_app)
    run_actions.register(dash_app)
    run_specs.register(dash_app)
    _register_selection(dash_app)
    dash_app.clientside_callback(
        ClientsideFunction("run_page", "named"),
        Input("run-name", "children"),
        State("place", "data"),
        prevent_initial_call=True,
    )

    @dash_app.callback(
        Output("run-name", "children"),
        Output("run-description", "children"),
        Input("run-standing", "data"),
        State("place", "data"),
        prevent_initial_call=True,
    )
    async def describe(_standing: str, place: Place) -> tuple[str, Any]:
        run, _ = await asyncio.to_thread(read_run, place["run"])
        return run.name, _description(run)


def _register_selection(dash_app: Dash) -> None:
    """What the browser does alone: assets/selection*.js."""
    dash_app.clientside_callback(
        ClientsideFunction("selection", "chosen_layer"),
        Input("layer", "value"),
        Input("quantity", "value"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("selection", "slid"), Input("recording", "value"), prevent_initial_call=True
    )
