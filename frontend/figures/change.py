"""How the nearest neighbours change: churn, and how many of them bear the image's label (Sec. 8)."""

from collections.abc import Sequence

import numpy as np

from backend.series import Distribution, Neighbours
from frontend.figures.chart import Chart, Properties
from frontend.figures.distribution import hover_of
from frontend.figures.look import Look, base, empty, gaps, times


def share_over_training(data: Distribution, epochs: Sequence[float], look: Look, *, name: str, revision: str) -> Chart:
    """The mean over the images as a line, and the ranges of the middle 50 % and 90 % of them as bands.

    A share of 6 has seven values at most: a histogram of it would be seven thin rows.
    """
    if not len(data.recordings) or not data.defined.any():
        return empty("The nearest neighbours of two recordings are compared: it begins with the second.", look)
    figure = base(name, look, revision=revision, recordings=len(data.recordings))
    x = data.recordings.tolist()
    for low, high, words, opacity in ((2, 6, "5–95 % of images", 0.12), (3, 5, "25–75 % of images", 0.22)):
        edge = {"x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(**edge, y=gaps(data.quantiles[:, low]), showlegend=False)
        fill: Properties = {"fill": "tonexty", "fillcolor": look.band(opacity), "name": words}
        figure.add_scatter(**edge, y=gaps(data.quantiles[:, high]), **fill)
    figure.add_scatter(
        x=x,
        y=gaps(data.mean),
        name="mean",
        mode="lines+markers",
        marker={"size": 5},
        line={"color": look.line, "width": 2},
        text=hover_of(data, epochs),
        hovertemplate="%{text}<extra></extra>",
    )
    figure.update_layout(showlegend=True, meta={"select": "t"})
    figure.update_yaxes(range=[-0.04, 1.04], tickformat=".0%")
    return figure


def change_over_training(data: Neighbours, epochs: Sequence[float], look: Look, *, revision: str) -> Chart:
    """Two lines of shares in [0, 1]; a gap where the image has no neighbour."""
    if np.isnan(data.churn).all() and np.isnan(data.label_agreement).all():
        return empty("No other image shares a unit with this one yet.", look)
    figure = base("share of the 6 nearest", look, revision=revision, recordings=len(data.recordings))
    lines = (
        ("new since the recording before", data.churn, look.line, "solid"),
        ("of its own label", data.label_agreement, look.ink, "dash"),
    )
    hover = times(data.recordings, epochs)
    for name, values, colour, dash in lines:
        figure.add_scatter(
            x=data.recordings.tolist(),
            y=gaps(values),
            name=name,
            mode="lines+markers",
            marker={"size": 5},
            line={"color": colour, "width": 2, "dash": dash},
            text=hover,
            hovertemplate=f"<b>%{{text}}</b><br>%{{y:.0%}} {name}<extra></extra>",
        )
    figure.update_layout(showlegend=True, meta={"select": "t"})
    figure.update_yaxes(range=[-0.04, 1.04], tickformat=".0%")
    return figure
