"""A figure with its title, one sentence on what it shows, and the definition behind a click."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

CONFIG: Any = {"showSendToCloud": False, "displaylogo": False, "responsive": True, "doubleClick": "reset"}


def panel(title: str, shows: str, definition: str, *content: Component, extra: Component | None = None) -> Component:
    """A card; `shows` is one sentence, `definition` the formula and what to know about it."""
    heading = dmc.Group(
        [dmc.Title(title, order=3, size="h4"), *([extra] if extra is not None else [])], justify="space-between"
    )
    explained = html.Details(
        [html.Summary(shows), html.P(definition, className="definition")],
        className="explained",
    )
    return dmc.Paper([heading, explained, *content], withBorder=True, p="md", className="panel")


def graph(name: str, height: int = 320, linked: bool = True) -> Component:
    """A place for a figure; linked ones answer clicks and follow the recording slider."""
    return html.Div(
        dcc.Graph(id=name, config=CONFIG, style={"height": height}, responsive=True),
        className="figure linked" if linked else "figure",
        style={"minHeight": height},
    )
