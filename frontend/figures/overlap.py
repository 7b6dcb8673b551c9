"""How many units two images share, against how far apart they are in data space (Sec. 6.4, Fig. 4)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from backend.correlation import Correlation
from backend.schemas import Quantity
from backend.series import OverlapAgainstDistance
from frontend.figures.chart import Chart, Properties, heatmap, scatter
from frontend.figures.look import BELOW, PARTNER, Look, bar_below, dress, empty

HEIGHT = 520
FEW_PAIRS = 2500
"""So many at most are drawn one by one; of more, their density."""
BINS = (60, 45)


def overlap_against_distance(
    data: OverlapAgainstDistance, labels: Sequence[int], names: Sequence[str], look: Look, *, revision: str
) -> Chart:
    """Pairs of different label on the left, of the same on the right; points, or shades where there are many."""
    if not len(data.overlap):
        return empty("There are no pairs.", look, HEIGHT)
    i, j = np.triu_indices(len(labels), k=1)
    same = np.asarray(labels)[i] == np.asarray(labels)[j]
    titles = [f"different labels,<br>{np.sum(~same):,} pairs", f"same label,<br>{np.sum(same):,} pairs"]
    figure = Chart.grid(1, 2, shared_yaxes=True, shared_xaxes=True, subplot_titles=titles, horizontal_spacing=0.03)
    dress(figure, look, revision=revision, height=HEIGHT)
    figure.update_annotations(font={"size": 12, "color": look.ink})
    for column, chosen in enumerate((~same, same), start=1):
        if len(same) <= FEW_PAIRS:
            figure.add_trace(_points(data, chosen, i, j, names, look.line), row=1, col=column)
        elif chosen.any():
            figure.add_trace(_density(data, chosen), row=1, col=column)
    densities = [np.nanmax(trace["z"]) for trace in figure.data if trace["type"] == "heatmap"]
    if densities:
        bar = bar_below("", tickformat=".2~%", nticks=5)
        scale = {"cmin": 0, "cmax": float(max(densities)), "colorscale": look.scale(), "colorbar": bar}
        figure.update_layout(coloraxis=scale, height=HEIGHT + BELOW - 44, margin={"b": BELOW})
    shade = "<br><span style='font-size:12px'>shade: share of the pairs of this side</span>" if densities else ""
    figure.add_annotation(
        text=f"distance in data space ‖xᵢ − xⱼ‖₂{shade}", font={"size": 14}, showarrow=False,
        x=0.5, xref="paper", y=0, yref="paper", yanchor="top", yshift=-20,
    )  # fmt: skip
    figure.update_layout(
        title={"text": words_of(data.correlation), "font": {"size": 14}, "x": 0, "xref": "paper", "y": 0.955},
        margin={"t": 90},
        dragmode="select",
        hovermode="closest",
        meta={"select": "trace"},
        shapes=[_ring()],
    )
    unit = "units shared (path overlap)" if look.quantity is Quantity.PATH else "cosine of activations"
    figure.update_yaxes(title={"text": unit, "standoff": 8}, col=1)
    figure.update_xaxes(matches="x", zeroline=False)
    figure.update_yaxes(matches="y", zeroline=False)
    return figure


def _ring() -> Properties:
    """Around the chosen pair; the page knows where that is, and sees to it."""
    size = {"xsizemode": "pixel", "ysizemode": "pixel", "x0": -8, "x1": 8, "y0": -8, "y1": 8}
    place = {"xref": "x", "yref": "y", "xanchor": 0, "yanchor": 0}
    line = {"color": PARTNER, "width": 3}
    return {"type": "circle", "name": "chosen-pair", "visible": False, "line": line, **size, **place}


def words_of(found: Correlation) -> str:
    """Both coefficients, or why there are none."""
    if found.pearson is None or found.spearman is None:
        return f"No correlation: {found.reason}"
    return f"Pearson r = {found.pearson:.3f}, Spearman ρ = {found.spearman:.3f}<br>over {found.pairs:,} pairs"


def _points(
    data: OverlapAgainstDistance,
    chosen: Bool[ndarray, " pairs"],
    i: Int[ndarray, " pairs"],
    j: Int[ndarray, " pairs"],
    names: Sequence[str],
    colour: str,
) -> Properties:
    pairs = list(zip(i[chosen].tolist(), j[chosen].tolist(), strict=True))
    return scatter(
        x=data.distance[chosen].astype(np.float32),
        y=data.overlap[chosen].astype(np.float32),
        mode="markers",
        marker={"size": 5, "color": colour, "opacity": 0.55, "symbol": "circle"},
        text=[f"{names[one]} and {names[other]}" for one, other in pairs],
        customdata=pairs,
        hovertemplate="%{text}<br>distance %{x:.3f}, overlap %{y:,.6~g}<extra></extra>",
    )


def _density(data: OverlapAgainstDistance, chosen: Bool[ndarray, " pairs"]) -> Properties:
    """The share of these pairs in each cell of a grid over all pairs."""
    known = ~np.isnan(data.overlap.astype(float))
    reach = [_reach(data.distance[known]), _reach(data.overlap[known].astype(float))]
    inside = chosen & known
    counts, x, y = np.histogram2d(data.distance[inside], data.overlap[inside], bins=BINS, range=reach)
    shares = counts / max(counts.sum(), 1)
    options: dict[str, Any] = {"coloraxis": "coloraxis", "hoverongaps": False}
    return heatmap(
        x=((x[:-1] + x[1:]) / 2).tolist(),
        y=((y[:-1] + y[1:]) / 2).tolist(),
        z=np.where(counts == 0, np.nan, shares).T.astype(np.float32),
        customdata=counts.T.astype(np.int32),
        hovertemplate="%{customdata} pairs (%{z:.2%})<br>near distance %{x:.3f}, overlap %{y:,.5~g}<extra></extra>",
        **options,
    )


def _reach(values: Float[ndarray, " pairs"]) -> tuple[float, float]:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    return low, high if high > low else low + 1
