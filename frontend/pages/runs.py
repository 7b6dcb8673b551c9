"""All runs."""

import dash_mantine_components as dmc
from dash import Dash
from dash.development.base_component import Component

PATH_TEMPLATE = "/"
TITLE = "Runs"


def layout(**_query: str) -> Component:
    return dmc.Title("Runs", order=2)


def register(dash_app: Dash) -> None:
    """No callbacks."""
