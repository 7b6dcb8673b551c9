"""How a similarity is spread over all pairs or images of a layer, from recording to recording (Figs. 1, 2, 3, 5)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from backend.series import Distribution
from frontend.figures.chart import Chart
from frontend.figures.look import Look, base, empty, gaps, times


def distribution_over_training(
    data: Distribution,
    epochs: Sequence[float],
    look: Look,
    *,
    name: str,
    revision: str,
    t: int | None = None,
    least: float = 0.0,
) -> Chart:
    """Per recording a histogram as a column of shades, with the median and the 25-75 % and 5-95 % bands above it.

    The bins divide [least, 1], all of which the axis shows: figures side by side can be compared.
    """
    if not len(data.recordings) or not data.defined.any():
        return empty("Similarity compares a recording with the one before: it begins with the second.", look)
    figure = base(name, look, revision=revision, t=t, recordings=len(data.recordings))
    figure.update_layout(hovermode="closest", meta={"select": "t"})
    add_histograms(figure, data, look, least)
    for low, high in ((2, 6), (3, 5)):
        _band(figure, data, low, high, look)
    _median(figure, data, epochs, look)
    figure.update_yaxes(range=[least - 0.005, 1.005])
    return figure


def add_histograms(figure: Chart, data: Distribution, look: Look, least: float) -> None:
    """Add the columns of shades, from the lowest bin that holds a value on."""
    shares = shares_of(data)
    used = np.flatnonzero(shares.sum(axis=0))
    first, bins = int(used[0]), shares.shape[1]
    width = (1 - least) / bins
    figure.add_heatmap(
        x=data.recordings.tolist(),
        y=(least + (np.arange(first, bins) + 0.5) * width).tolist(),
        z=gaps(np.where(shares == 0, np.nan, shares)[:, first:].T),
        colorscale=look.scale(),
        zmin=0,
        zmax=float(shares.max()),
        opacity=0.85,
        hoverongaps=False,
        colorbar={"title": {"text": "share", "side": "right"}, "tickformat": ".0%", "thickness": 10, "len": 1},
        hovertemplate="%{z:.1%} of values near %{y:.3f}<br>t = %{x}<extra></extra>",
    )


def shares_of(data: Distribution) -> Float[ndarray, "recordings 100"]:
    """The histograms as shares of the defined values."""
    return data.histogram / np.maximum(data.histogram.sum(axis=1, keepdims=True), 1)


def hover_of(data: Distribution, epochs: Sequence[float]) -> list[str]:
    """What hovering says of each recording."""
    hover = []
    for n, time in enumerate(times(data.recordings, epochs)):
        q = data.quantiles[n]
        hover.append(
            f"<b>{time}</b><br>median {q[4]:.4f}, mean {data.mean[n]:.4f} ± {data.std[n]:.4f}"
            f"<br>25–75 %: {q[3]:.4f} to {q[5]:.4f}<br>5–95 %: {q[2]:.4f} to {q[6]:.4f}"
            f"<br>smallest {q[0]:.4f}, largest {q[8]:.4f}"
            f"<br>{data.defined[n]:,} values, {data.undefined[n]:,} undefined"
        )
    return hover


def _band(figure: Chart, data: Distribution, low: int, high: int, look: Look) -> None:
    edge = {"color": look.ink, "width": 0.8, "dash": "dot" if low == 2 else "solid"}
    for column in (low, high):
        figure.add_scatter(
            x=data.recordings.tolist(), y=gaps(data.quantiles[:, column]), mode="lines", line=edge, hoverinfo="skip"
        )


def _median(figure: Chart, data: Distribution, epochs: Sequence[float], look: Look) -> None:
    figure.add_scatter(
        x=data.recordings.tolist(),
        y=gaps(data.quantiles[:, 4]),
        name="median",
        mode="lines+markers",
        marker={"size": 6, "color": look.ink},
        line={"color": look.ink, "width": 2},
        text=hover_of(data, epochs),
        hovertemplate="%{text}<extra></extra>",
    )
