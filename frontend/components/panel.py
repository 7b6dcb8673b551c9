"""A figure with its title, what it shows, the definition behind a click, its files and the numbers behind it.

The figure itself is fetched and drawn by `assets/views.js`, from what its view says and the address selects. The
browser adds its buttons and its table (`assets/views_panel.js`): they were a third of a page's components of Dash.
"""

import json
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from frontend.views.compared import ComparedView
from frontend.views.view import View, lacking

CONFIG: Any = {
    "showSendToCloud": False,
    "displaylogo": False,
    "responsive": True,
    "doubleClick": "reset",
    "modeBarButtonsToRemove": ["toImage", "lasso2d", "select2d", "autoScale2d"],
}


def panel(title: str, shows: str, definition: str, *content: Component, extra: Component | None = None) -> Component:
    """A card; `shows` is one sentence, `definition` the formula and what to know about it."""
    return dmc.Paper(
        [_heading(title, extra), _explained(shows, definition), *content], withBorder=True, p="md", className="panel"
    )


def view_panel(
    view: View,
    *after: Component,
    fixed: Sequence[dict[str, str]] = ({},),
    leave_out: Sequence[str] = (),
    options: Sequence[Component] = (),
    height: int | None = None,
) -> Component:
    """The card of a view; with several `fixed`, a figure for each, with these parameters whatever is chosen.

    `leave_out` are parameters that the page does not pass on.
    """
    several = len(fixed) > 1
    blocks = [_block(view, one, leave_out, height or view.height, several) for one in fixed]
    content = html.Div(blocks, className="side-by-side") if several else blocks[0]
    return dmc.Paper(
        [
            _heading(view.title, html.Div(list(options), className="panel-options") if options else None),
            _explained(view.shows, f"{view.definition} ({view.section})"),
            content,
            *after,
        ],
        withBorder=True,
        p="md",
        className="panel",
        id=view.name,
    )


def compared_panel(
    view: ComparedView, graph_id: str, *after: Component, height: int, extra: Component | None = None
) -> Component:
    """The card of a figure of several runs, which a callback sends; its files are those of the page's address."""
    figure = html.Div(
        dcc.Graph(id=graph_id, config=CONFIG, style={"height": height}, responsive=True),
        id=f"{view.name}-figure",
        className="figure",
        style={"minHeight": height},
        role="figure",
        **attributes({"aria-label": view.title, "data-compared": view.name}),
    )
    head = html.Div(className="figure-head")
    return dmc.Paper(
        [
            _heading(view.title, extra),
            _explained(view.shows, f"{view.definition} ({view.section})"),
            html.Div([head, figure], className="figure-block"),
            *after,
        ],
        withBorder=True,
        p="md",
        className="panel",
        id=view.name,
    )


def option(view: View, name: str, values: Sequence[tuple[str, str]], label: str) -> Component:
    """Buttons, one of them pressed, for a parameter of the view; the first is the default. The address holds it."""
    return option_of(f"{view.name}.{name}", values, label)


def axis_option(view: View, label: str) -> Component:
    """Whether an axis is linear or logarithmic."""
    return option(view, "measure", (("linear", "Linear"), ("log", "Log")), label)


def option_of(key: str, values: Sequence[tuple[str, str]], label: str) -> Component:
    """The same for anything else that the address can hold under this key."""
    buttons = []
    for n, (value, words) in enumerate(values):
        data: dict[str, Any] = {"data-option": key, "data-value": value} | ({"data-default": ""} if n == 0 else {})
        buttons.append(html.Button(words, **data, **attributes({"aria-pressed": "true" if n == 0 else "false"})))
    return html.Div(buttons, className="option", role="group", **attributes({"aria-label": label}))


def _heading(title: str, extra: Component | None) -> Component:
    heading = dmc.Title(title, order=2, size="h4")
    return dmc.Group([heading, *([extra] if extra is not None else [])], justify="space-between", gap="xs")


def _explained(shows: str, definition: str) -> Component:
    return html.Details([html.Summary(shows), html.P(definition, className="definition")], className="explained")


def _block(view: View, fixed: dict[str, str], leave_out: Sequence[str], height: int, several: bool) -> Component:
    suffix = "".join(f"-{value}" for value in fixed.values())
    words = {"path": "Paths", "activation": "Activations"}
    label = words.get(fixed.get("quantity", ""), "")
    name = f"{view.title}{f', {label.lower()}' if label else ''}"
    above = dmc.Text(label, size="sm", fw=600) if several else None
    return html.Div(
        [
            html.Div(above, className="figure-head"),
            _figure(view, f"{view.name}-figure{suffix}", fixed, leave_out, height, name),
        ],
        className="figure-block",
    )


def _figure(
    view: View, figure_id: str, fixed: dict[str, str], leave_out: Sequence[str], height: int, name: str
) -> Component:
    parameters = " ".join(parameter for parameter in view.parameters if parameter not in leave_out)
    data = {"data-view": view.name, "data-parameters": parameters, "data-fixed": json.dumps(fixed)}
    data["data-waits"] = " ".join(view.parameters)
    if view.needs is not None:
        data |= {"data-needs": view.needs, "data-without": f"This run does not {lacking(view.needs)}."}
    return html.Div(
        [html.Div(className="plot"), html.P(className="nothing")],
        id=figure_id,
        className="figure",
        style={"minHeight": height},
        role="figure",
        **attributes({"aria-label": name, "aria-busy": "true"}),
        **attributes(data),
    )


def attributes(named: dict[str, str]) -> dict[str, Any]:
    """Attributes whose names are no Python names."""
    return dict(named)
