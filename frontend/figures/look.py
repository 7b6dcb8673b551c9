"""What all figures share: colours with one meaning each, light and dark templates, the cursor, gaps and empty states.

Blue is always paths, orange activations; the shade is the value, or how deep a layer lies where each has a line. Pink
is what is chosen: the partner, a pair. Green to yellow are neighbours by rank. The scales go through lightness alone,
so that they read the same to colour-blind eyes and in print.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import dash_mantine_components as dmc
import numpy as np
import plotly.io as pio
from jaxtyping import Float, Int
from numpy import ndarray
from plotly.colors import sample_colorscale

from backend.schemas import Quantity
from frontend.figures.chart import Chart, Properties

dmc.add_figure_templates()

PARTNER = "#d6336c"
TRAIN, TEST, RATE = "#0b9c7c", "#b14bcb", "#868e96"
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "pentagon", "hexagon", "cross", "triangle-down")
GAP = {"light": "#c9cdd2", "dark": "#4a4e57"}

_HUES = {
    Quantity.PATH: ("#f1f6fd", "#a5c8f0", "#4a90d9", "#1b5fae", "#08306b"),
    Quantity.ACTIVATION: ("#fff5eb", "#fdc28c", "#f08c3a", "#c2560c", "#6b2a02"),
}
_LINE = {
    Quantity.PATH: {"light": "#1b5fae", "dark": "#74b3f5"},
    Quantity.ACTIVATION: {"light": "#c2560c", "dark": "#ffa45c"},
}


class Look(NamedTuple):
    """How a figure is to look: the page's colour scheme, and the quantity whose hue it bears."""

    scheme: Literal["light", "dark"] = "light"
    quantity: Quantity = Quantity.PATH

    @property
    def line(self) -> str:
        return _LINE[self.quantity][self.scheme]

    @property
    def ink(self) -> str:
        return "#343a40" if self.scheme == "light" else "#ced4da"

    @property
    def paper(self) -> str:
        """Behind a figure that stands alone, and behind what hovering says of several lines at once."""
        return "#ffffff" if self.scheme == "light" else "#1a1b1e"

    def band(self, opacity: float) -> str:
        """The line's colour, translucent."""
        red, green, blue = (int(self.line[n : n + 2], 16) for n in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity})"

    def scale(self) -> list[list[float | str]]:
        """Larger values stand out more: darker on light pages, lighter on dark ones."""
        hues = _HUES[self.quantity] if self.scheme == "light" else _HUES[self.quantity][::-1]
        return [[n / (len(hues) - 1), hue] for n, hue in enumerate(hues)]

    def layer_colours(self, count: int) -> list[str]:
        """A shade per layer, the last stands out most."""
        return list(sample_colorscale(self.scale(), np.linspace(0.3, 1.0, count).tolist())) if count else []

    def rank_colours(self, count: int) -> list[str]:
        """A colour per rank, the nearest strongest."""
        low, high = (0.0, 0.8) if self.scheme == "light" else (1.0, 0.3)
        return list(sample_colorscale("Viridis", np.linspace(low, high, count).tolist())) if count else []


FEW = 10
"""Of no more recordings each gets a tick; left alone, Plotly would put some between them."""


def base(
    title_y: str, look: Look, *, revision: str, t: int | None = None, height: int = 320, recordings: int | None = None
) -> Chart:
    """An empty figure over so many recordings; `revision` names what it shows: while it stays, zoom stays too."""
    figure = Chart()
    dress(figure, look, revision=revision, height=height)
    figure.update_layout(shapes=[cursor(t, look)])
    figure.update_xaxes(title={"text": "recording t", "standoff": 8}, tickformat="d", zeroline=False)
    if recordings is not None and recordings <= FEW:
        figure.update_xaxes(dtick=1)
    figure.update_yaxes(title={"text": title_y, "standoff": 8}, zeroline=False)
    return figure


def dress(figure: Chart, look: Look, *, revision: str, height: int) -> None:
    """Give a figure the look of all."""
    figure.layout["template"] = _template(look.scheme)
    figure.update_layout(
        height=height,
        margin={"l": 60, "r": 16, "t": 12, "b": 44},
        uirevision=revision,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"align": "left"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        showlegend=False,
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": look.ink, "activecolor": look.line},
    )


@cache
def _template(scheme: Literal["light", "dark"]) -> Properties:
    template: Properties = pio.templates[f"mantine_{scheme}"].to_plotly_json()
    return template


def cursor(t: int | None, look: Look) -> dict[str, Any]:
    """The vertical line at the selected recording; always there, invisible while there is none."""
    place = {"x0": t or 0, "x1": t or 0, "y0": 0, "y1": 1, "xref": "x", "yref": "paper"}
    return {
        "type": "line",
        "name": "cursor",
        "visible": t is not None,
        "line": {"color": look.ink, "width": 1.5, "dash": "dot"},
        **place,
    }


BELOW = 96
"""Pixels below a figure that hold its axis title and a scale of colours."""


def bar_below(title: str, **options: Any) -> Properties:
    """A scale of colours that lies at the lower edge, so that a map has the whole width on narrow screens too.

    The figure's lower margin has to be BELOW.
    """
    place = {"orientation": "h", "x": 0.5, "len": 0.9, "yref": "container", "y": 0.012, "yanchor": "bottom", "ypad": 2}
    return {
        **place,
        "thickness": 9,
        "tickangle": 0,
        "title": {"text": title, "side": "top", "font": {"size": 12}},
        **options,
    }


def empty(sentence: str, look: Look, height: int = 320) -> Chart:
    """In place of a figure that has nothing to show yet: one plain sentence."""
    figure = base("", look, revision="empty", height=height)
    figure.update_layout(margin={"l": 16, "r": 16})
    figure.layout["shapes"] = []
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        text=sentence, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5, font={"size": 14, "color": look.ink}
    )
    return figure


def times(recordings: Int[ndarray, " recordings"], epochs: Sequence[float]) -> list[str]:
    """What hovering says of each recording: t and its epoch."""
    return [f"t = {t}" + (f", epoch {epochs[t]:.4g}" if t < len(epochs) else "") for t in recordings.tolist()]


def gaps(values: Float[ndarray, "..."]) -> Any:
    """Nested lists with None for NaN.

    Lists, not arrays: text differs only where a figure has grown (frontend/kept.py), base64 shifts.
    """
    listed = np.round(values, 6).astype(object)
    listed[np.isnan(values)] = None
    return listed.tolist()


def low_end(values: Float[ndarray, "..."]) -> float:
    """Where a scale up to 1 starts: the tenth below the smallest defined value, at least 0."""
    known = values[~np.isnan(values)]
    return max(0.0, float(np.floor((known.min() - 0.01) * 10) / 10)) if known.size else 0.0
