"""One line against the band of all others: a chosen image's self-similarity, or its similarity with one partner."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from backend.series import ImageRows
from frontend.figures.chart import Chart
from frontend.figures.look import Look, base, empty, gaps, low_end, times

BANDS = ((5, 95), (25, 75))


def line_over_band(
    rows: ImageRows,
    chosen: int | None,
    epochs: Sequence[float],
    look: Look,
    *,
    title_y: str,
    name: str,
    colour: str,
    revision: str,
    t: int | None = None,
    height: int = 320,
) -> Chart:
    """The chosen image's values as a line; behind it the median and the 5-95 % and 25-75 % bands of all images."""
    if not rows.values.size:
        return empty("This comparison begins with the second recording.", look)
    figure = base(title_y, look, revision=revision, t=t, height=height, recordings=len(rows.recordings))
    figure.update_layout(
        showlegend=True, hovermode="x unified", hoverlabel={"bgcolor": look.paper}, meta={"select": "t"}
    )
    x, quantiles = rows.recordings.tolist(), band_of(rows.values)
    for (low, high), opacity in zip(BANDS, (0.15, 0.25), strict=True):
        edge = {"x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "legendgroup": f"{low}-{high}"}
        figure.add_scatter(**edge, y=gaps(quantiles[low]), showlegend=False)
        figure.add_scatter(
            **edge, y=gaps(quantiles[high]), fill="tonexty", fillcolor=look.band(opacity), name=f"{low}–{high} % of all"
        )
    figure.add_scatter(
        x=x,
        y=gaps(quantiles[50]),
        name="median of all",
        mode="lines",
        line={"color": look.line, "width": 1.5, "dash": "dash"},
        hovertemplate="median %{y:.4f}<extra></extra>",
    )
    if chosen is not None:
        figure.add_scatter(
            x=x,
            y=gaps(rows.values[:, chosen]),
            name=name,
            mode="lines+markers",
            marker={"size": 5},
            line={"color": colour, "width": 2.5},
            text=times(rows.recordings, epochs),
            hovertemplate=f"<b>{_escape(name)} %{{y:.4f}}</b><br>%{{text}}<extra></extra>",
        )
    figure.update_yaxes(range=[low_end(quantiles[5] if chosen is None else _shown(rows, quantiles, chosen)), 1.005])
    return figure


def band_of(values: Float[ndarray, "recordings images"]) -> dict[int, Float[ndarray, " recordings"]]:
    """The 5, 25, 50, 75 and 95 % quantiles of the defined values at each recording; NaN where nothing is defined."""
    percents = [5, 25, 50, 75, 95]
    quantiles = np.full((len(percents), len(values)), np.nan)
    whole = ~np.isnan(values).any(axis=1)
    if whole.any():
        quantiles[:, whole] = np.percentile(values[whole], percents, axis=1)
    for n in np.flatnonzero(~whole & ~np.isnan(values).all(axis=1)):
        quantiles[:, n] = np.percentile(values[n][~np.isnan(values[n])], percents)
    return dict(zip(percents, quantiles, strict=True))


def _shown(rows: ImageRows, quantiles: dict[int, Float[ndarray, " recordings"]], chosen: int) -> Float[ndarray, "..."]:
    return np.concatenate([quantiles[5], rows.values[:, chosen]])


def _escape(text: str) -> str:
    return text.replace("<", "&lt;").replace("%{", "% {")
