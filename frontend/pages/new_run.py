"""A form for a new run."""

import dash_mantine_components as dmc
from dash import Dash
from dash.development.base_component import Component

PATH_TEMPLATE = "/new"
TITLE = "New run"


def layout(**_query: str) -> Component:
    return dmc.Title("New run", order=2)


def register(dash_app: Dash) -> None:
    """No callbacks."""
