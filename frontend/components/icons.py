"""Icons as inline SVG masks (see assets/icons.css), so that they take the text's colour in light and dark."""

from typing import Any

from dash import html
from dash.development.base_component import Component

HIDDEN: dict[str, Any] = {"aria-hidden": "true"}


def icon(name: str, size: int = 16) -> Component:
    """A picture without meaning of its own: a text or an aria-label beside it says the same."""
    return html.Span(className=f"icon icon-{name}", style={"width": size, "height": size}, **HIDDEN)
