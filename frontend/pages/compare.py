"""Several runs side by side: similarity over training, Fig. 7, and what they were asked that differs.

The address names the runs (`?runs=1,2,3`, or `?filter=tag%3Apaper`) and everything that is chosen; assets/compare.js
writes it, and each change of it asks the server once.
"""

import asyncio
from typing import Any, Literal, TypedDict

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from backend.errors import AppError
from backend.schemas import Quantity
from frontend import comparison
from frontend.comparison import GROUPS, MEASURES, Choice, Compared, choice_of
from frontend.components.panel import attributes, compared_panel, panel
from frontend.figures.look import Look, empty
from frontend.figures.overlay import HEIGHT
from frontend.live import Tick
from frontend.views.compared import FIELD_AGAINST_OUTCOME, OVER_TRAINING, RATIOS

PATH_TEMPLATE = "/compare"
TITLE = "Compare"
CONTROLS = ("filter", "layer", "quantity", "measure", "statistic", "group", "error", "field", "outcome")
MANY_RUNS = 60
"""Of more runs the table of differences shows the first ones; REST has all."""


def layout(**query: str) -> Component:
    choice = choice_of(query)
    return html.Div(
        [
            dcc.Store(id="compare-choice"),
            dcc.Store(id="compare-theme"),
            dcc.Store(id="compare-tick"),
            dcc.Store(id="compare-runs"),
            dcc.Store(id="compare-differing"),
            dmc.Title("Compare runs", order=1, size="h2", mb="xs"),
            dmc.Text(id="compare-what", c="dimmed", size="sm", mb="sm"),
            _bar(choice),
            html.Div(id="compare-refused", role="alert", className="refused"),
            compared_panel(
                OVER_TRAINING,
                "compare-overlay",
                html.Div(
                    id="compare-legend", className="compare-legend", role="group", **attributes({"aria-label": "Lines"})
                ),
                html.P(id="compare-overlay-note", className="dimmed"),
                height=HEIGHT,
            ),
            _ratios(choice),
            _outcomes(choice),
            panel(
                "What differs between the runs",
                "The fields of their specs in which the runs are not all alike, and what came of them.",
                "Test accuracy is that of the newest recording, gap is training accuracy less it. Name, tags and notes "
                "are left out. GET /api/v1/compare/differences has the same for all runs.",
                html.P(id="compare-differences-wide", className="dimmed", role="status"),
                html.Div(
                    id="compare-differences",
                    className="wide-table",
                    tabIndex=0,
                    role="region",
                    **attributes({"aria-label": "What differs between the runs"}),
                ),
            ),
        ],
        className="compare-page",
    )


def _bar(choice: Choice) -> Component:
    quantities = [{"value": one.value, "label": f"{one.value}s".capitalize()} for one in Quantity]
    statistics = [{"value": "median", "label": "Median"}, {"value": "mean", "label": "Mean"}]
    groups = [{"value": name, "label": name or "each run by itself"} for name in GROUPS]
    return dmc.Group(
        [
            dmc.TextInput(
                id="compare-filter",
                label="Runs that fit",
                value=choice["filter"],
                placeholder="tag:paper net=alexnet",
                debounce=400,
                w=260,
            ),
            dmc.NumberInput(
                id="compare-layer",
                label="Layer",
                value=choice["layer"] or "",
                placeholder="middle",
                min=1,
                max=9999,
                w=100,
            ),
            _switch("quantity", "Compare", quantities, choice["quantity"]),
            dmc.Select(
                id="compare-measure",
                label="Measure",
                data=[{"value": value, "label": label.capitalize()} for value, label in MEASURES.items()],
                value=choice["measure"],
                allowDeselect=False,
                w=200,
            ),
            _switch("statistic", "Statistic", statistics, choice["statistic"]),
            dmc.Select(
                id="compare-group",
                label="Group by",
                data=groups,
                value=choice["group"],
                allowDeselect=False,
                searchable=True,
                w=220,
            ),
        ],
        gap="md",
        align="flex-end",
        mb="md",
    )


def _switch(name: str, label: str, data: list[dict[str, str]], value: str) -> Component:
    control = dmc.SegmentedControl(id=f"compare-{name}", data=data, value=value)
    return dmc.InputWrapper(control, label=label, className="quantity")


def _ratios(choice: Choice) -> Component:
    errors = [{"value": "gap", "label": "Generalisation gap"}, {"value": "test_error", "label": "Test error"}]
    left_out = [html.Summary(id="compare-left-out-count"), html.Ul(id="compare-left-out")]
    return compared_panel(
        RATIOS,
        "compare-ratios",
        html.Details(left_out, className="explained"),
        height=HEIGHT,
        extra=dmc.SegmentedControl(id="compare-error", data=errors, value=choice["error"], size="xs"),
    )


def _outcomes(choice: Choice) -> Component:
    outcomes = [{"value": "test_accuracy", "label": "Test accuracy"}, {"value": "gap", "label": "Gap"}]
    outcomes += [{"value": "ratio", "label": "Early-to-mid ratio"}]
    field = dmc.Select(
        id="compare-field",
        data=[choice["field"]],
        value=choice["field"],
        allowDeselect=False,
        size="xs",
        w=190,
        **{"aria-label": "Field"},
    )
    outcome = dmc.SegmentedControl(id="compare-outcome", data=outcomes, value=choice["outcome"], size="xs")
    controls = dmc.Group([field, outcome], gap="xs")
    return compared_panel(FIELD_AGAINST_OUTCOME, "compare-outcomes", height=HEIGHT, extra=controls)


def register(dash_app: Dash) -> None:
    _register_address(dash_app)

    @dash_app.callback(
        Output("compare-overlay", "figure"),
        Output("compare-ratios", "figure"),
        Output("compare-outcomes", "figure"),
        Output("compare-field", "data"),
        Output("compare-what", "children"),
        Output("compare-overlay-note", "children"),
        Output("compare-left-out-count", "children"),
        Output("compare-left-out", "children"),
        Output("compare-differing", "data"),
        Output("compare-refused", "children"),
        Output("compare-runs", "data"),
        Input("compare-choice", "data"),
        Input("compare-theme", "data"),
        Input("compare-tick", "data"),
    )
    async def show(
        choice: Choice | None, theme: Literal["light", "dark"] | None, _tick: Tick | None
    ) -> tuple[Any, ...]:
        if choice is None or theme is None:
            raise PreventUpdate
        clean = choice_of({key: str(value) for key, value in choice.items() if value is not None})
        look = Look(theme, Quantity(clean["quantity"]))
        try:
            compared = await asyncio.to_thread(comparison.read, clean)
        except AppError as error:
            nothing = empty("Nothing to compare.", look, HEIGHT)
            return nothing, nothing, nothing, [clean["field"]], "", "", "", [], None, error.detail, []
        return shown(compared, clean, look)


def shown(compared: Compared, choice: Choice, look: Look) -> tuple[Any, ...]:
    """Everything that the page shows of what was read, in the order of the callback's outputs."""
    if choice["field"] not in compared.numbers:
        choice = {**choice, "field": ""}
    figures = [view.draw(compared, choice, look) for view in (OVER_TRAINING, RATIOS, FIELD_AGAINST_OUTCOME)]
    left_out = compared.ratios.left_out
    count, without = len(compared.runs), len(compared.runs) - len(compared.courses)
    what = f"{count} {'run' if count == 1 else 'runs'}" + (
        f" that fit “{choice['filter']}”" if choice["filter"] and not choice["runs"] else ""
    )
    of_the_net = comparison.of_the_net(choice)
    place = MEASURES[choice["measure"]].removesuffix(" (nats)") if of_the_net else f"layer {compared.layer}"
    note = f"{without} of {count} runs have nothing recorded of {place}. " if without else ""
    note += "Layer, quantity and statistic do not change what is measured of the whole net." if of_the_net else ""
    called = [f"{name} in {net}" for net, name in compared.layer_names.items()]
    note += f"Layer {compared.layer} is {', '.join(called)}." if called and not of_the_net else ""
    reasons = [html.Li([html.A(f"run {run}", href=f"/runs/{run}"), f": {why}"]) for run, why in left_out.items()]
    summary = f"{len(left_out)} of {count} runs have no dot" if left_out else "Every run has its dot"
    ids = [run.id for run in compared.runs]
    return *figures, _fields(compared, choice), what, note, summary, reasons, _differences(compared, choice), None, ids


def _fields(compared: Compared, choice: Choice) -> list[dict[str, str]]:
    """What the field can be: those that differ. The first is what an address without one shows."""
    numbers = compared.numbers or [""]
    first = {"value": numbers[0] if choice["field"] == numbers[0] else "", "label": numbers[0] or "no number differs"}
    return [first, *({"value": name, "label": name} for name in numbers[1:])]


class Table(TypedDict):
    """Drawn by assets/compare.js: hundreds of rows are too many components for Dash.

    [text, address, (colour, dash)] is a link behind a piece of the run's line.
    """

    heads: list[str]
    rows: list[list[Any]]
    note: str


def _differences(compared: Compared, choice: Choice) -> Table:
    if len(compared.runs) < 2 or not compared.differences:
        note = "The specs of these runs are alike." if compared.runs else "No run is chosen."
        return Table(heads=[], rows=[], note=note)
    runs = compared.runs[:MANY_RUNS]
    styles = comparison.styles_of_runs(compared, choice)
    rows: list[list[Any]] = [
        [
            [f"{run.id} · {run.name}", f"/runs/{run.id}", styles.get(run.id)],
            *(_share(getattr(compared.outcomes[run.id], name)) for name in ("test_accuracy", "gap")),
            *(_value(column[n]) for column in compared.differences.values()),
        ]
        for n, run in enumerate(runs)
    ]
    more = len(compared.runs) - len(runs)
    note = f"The first {len(runs)} runs; {more} more are left out here." if more else ""
    return Table(heads=["run", "test accuracy", "gap", *compared.differences], rows=rows, note=note)


def _value(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else "–" if value is None else str(value)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def _register_address(dash_app: Dash) -> None:
    dash_app.clientside_callback(
        ClientsideFunction("compare", "read"),
        Output("compare-choice", "data"),
        *(Output(f"compare-{name}", "value") for name in CONTROLS),
        Input("url", "search"),
    )
    dash_app.clientside_callback(
        ClientsideFunction("compare", "write"),
        *(Input(f"compare-{name}", "value") for name in CONTROLS),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("selection", "theme"), Output("compare-theme", "data"), Input("theme", "data")
    )
    dash_app.clientside_callback(
        ClientsideFunction("compare", "tick"),
        Output("compare-tick", "data"),  # on other pages there is none, and Dash does not call it
        Input("live", "data"),
        State("compare-runs", "data"),
        prevent_initial_call=True,
    )
    for name in ("compare-ratios", "compare-outcomes"):
        dash_app.clientside_callback(ClientsideFunction("compare", "open"), Input(name, "clickData"))
    for name in ("compare-overlay", "compare-ratios", "compare-outcomes"):
        dash_app.clientside_callback(ClientsideFunction("compare", "drawn"), Input(name, "figure"))
    dash_app.clientside_callback(ClientsideFunction("compare", "legend"), Input("compare-overlay", "figure"))
    dash_app.clientside_callback(ClientsideFunction("compare", "differing"), Input("compare-differing", "data"))
