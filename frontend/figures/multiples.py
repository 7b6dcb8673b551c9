"""All layers beside one another: how a similarity is spread in each over training (Figs. 1, 2, 3, 16)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.series import Distribution, LayerDistributions
from frontend.figures.chart import Chart, Properties, heatmap, scatter
from frontend.figures.distribution import hover_of, shares_of
from frontend.figures.look import BELOW, FEW, Look, bar_below, cursor, dress, empty, gaps

COLUMNS = 3
ROW_PIXELS = 190


def multiples_height(layers: int) -> int:
    """In pixels, for so many layers."""
    return 30 + BELOW + ROW_PIXELS * -(-layers // COLUMNS)


def distributions_of_layers(
    data: LayerDistributions, names: Sequence[str], epochs: Sequence[float], look: Look, *, title_y: str, revision: str
) -> Chart:
    """A small chart per layer on common axes: shares as shades, the median, and the 25-75 % and 5-95 % ranges.

    Shades end at the share that nine in ten of the filled bins do not exceed, for a few narrow columns would pale all
    others.
    """
    shown = [one for one in data.distributions if one.defined.any()]
    height = multiples_height(len(data.layers))
    if not shown:
        return empty("Similarity compares a recording with the one before: it begins with the second.", look)
    titles = [f"{k} · {names[k - 1]}" for k in data.layers.tolist()]
    columns = min(COLUMNS, len(titles))
    rows = -(-len(titles) // columns)
    figure = Chart.grid(
        rows,
        columns,
        shared_xaxes=True,
        shared_yaxes=True,
        subplot_titles=titles,
        horizontal_spacing=0.02,
        vertical_spacing=26 / max(height - 30 - BELOW, 100) if rows > 1 else 0,
    )
    dress(figure, look, revision=revision, height=height)
    figure.update_annotations(font={"size": 12, "color": look.ink})
    first = min(int(np.flatnonzero(one.histogram.sum(axis=0))[0]) for one in shown)
    shares = np.concatenate([shares_of(one).ravel() for one in shown])
    most = float(np.quantile(shares[shares > 0], 0.9))
    shapes = []
    for n, (k, one) in enumerate(zip(data.layers.tolist(), data.distributions, strict=True)):
        place = {"row": n // columns + 1, "col": n % columns + 1}
        for trace in _traces(one, k, epochs, look, max(0, first - 2)):
            figure.add_trace(trace, **place)
        across, up = figure.axes(**place)
        shapes.append({**cursor(None, look), "xref": across, "yref": f"{up} domain"})
    bins = data.distributions[0].histogram.shape[1]
    figure.update_layout(
        shapes=shapes, meta={"select": "t"}, hovermode="closest", margin={"t": 30, "l": 60, "b": BELOW}
    )
    scale = {"cmin": 0, "cmax": most, "colorscale": look.scale()}
    figure.update_layout(coloraxis={**scale, "colorbar": bar_below("share of values", tickformat=".0%")})
    figure.update_xaxes(zeroline=False, tickformat="d", dtick=1 if len(epochs) <= FEW else None)
    figure.update_yaxes(range=[max(0, first - 2) / bins - 0.005, 1.005], zeroline=False)
    figure.update_yaxes(title={"text": title_y, "standoff": 8}, col=1, row=(rows + 1) // 2)
    for n in range(max(0, len(titles) - columns), len(titles)):
        lowest = {"row": n // columns + 1, "col": n % columns + 1}
        words = "t" if n % columns else "recording t"  # on narrow screens there is no room for more
        figure.update_xaxes(title={"text": words, "standoff": 4}, showticklabels=True, **lowest)
    return figure


def _traces(data: Distribution, k: int, epochs: Sequence[float], look: Look, first: int) -> list[Any]:
    shares, x = shares_of(data), data.recordings.tolist()
    bins = shares.shape[1]
    heat = heatmap(
        x=x,
        y=((np.arange(first, bins) + 0.5) / bins).tolist(),
        z=np.where(shares == 0, np.nan, shares)[:, first:].T.astype(np.float32),
        coloraxis="coloraxis",
        opacity=0.85,
        hoverongaps=False,
        meta={"layer": k},
        hovertemplate=f"layer {k}: %{{z:.1%}} of values near %{{y:.3f}}<br>t = %{{x}}<extra></extra>",
    )
    return [
        heat,
        *(_range(data, x, k, low, high, look) for low, high in ((2, 6), (3, 5))),
        _median(data, k, epochs, look),
    ]


def _range(data: Distribution, x: list[int], k: int, low: int, high: int, look: Look) -> Properties:
    """Both edges as one line with a gap."""
    edges = [*gaps(data.quantiles[:, low]), None, *gaps(data.quantiles[:, high])]
    style = {"color": look.ink, "width": 0.8, "dash": "dot" if low == 2 else "solid"}
    return scatter(x=[*x, None, *x], y=edges, mode="lines", line=style, hoverinfo="skip", meta={"layer": k})


def _median(data: Distribution, k: int, epochs: Sequence[float], look: Look) -> Properties:
    return scatter(
        x=data.recordings.tolist(),
        y=gaps(data.quantiles[:, 4]),
        mode="lines+markers",
        name=f"layer {k}",
        marker={"size": 4, "color": look.ink},
        line={"color": look.ink, "width": 1.8},
        meta={"layer": k},
        text=hover_of(data, epochs),
        hovertemplate=f"layer {k}, %{{text}}<extra></extra>",
    )
