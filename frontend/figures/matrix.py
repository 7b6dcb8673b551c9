"""All pairs of probe images as a matrix, ordered so that structure shows."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.cluster import hierarchy

from backend.codec import to_pairs
from frontend.figures.chart import Chart
from frontend.figures.look import BELOW, GAP, PARTNER, Look, bar_below, dress, empty

HEIGHT = 620


def matrix_order(values: Float[ndarray, "images images"], labels: Sequence[int], by: str) -> Int[ndarray, " images"]:
    """Images from top to bottom: by label (then index), by index, or as the leaves of a tree of average linkage.

    Clusters are of 1 - similarity, scaled to the largest where it is no similarity; an undefined pair counts as far.
    """
    if by == "index" or len(values) < 3:
        return np.arange(len(values))
    if by == "label":
        return np.argsort(np.asarray(labels), kind="stable")
    pairs = to_pairs(values)
    known = pairs[~np.isnan(pairs)]
    largest = max(1.0, float(known.max())) if len(known) else 1.0
    distances = np.where(np.isnan(pairs), 1.0, 1 - pairs / largest).clip(0)
    order: Int[ndarray, " images"] = hierarchy.leaves_list(hierarchy.linkage(distances, method="average"))
    return order


def pair_matrix(
    values: Float[ndarray, "images images"],
    order: Int[ndarray, " images"],
    names: Sequence[str],
    look: Look,
    *,
    value: str,
    revision: str,
) -> Chart:
    """Every pair as a cell; the diagonal is undefined. Click a cell to choose its pair."""
    if not np.isfinite(values).any():
        return empty(f"No pair has a {value} at this recording.", look, HEIGHT)
    figure = Chart()
    dress(figure, look, revision=revision, height=HEIGHT)
    places = list(range(len(order)))
    labels = [names[i] for i in order.tolist()]
    figure.add_heatmap(
        x=places,
        y=places,
        z=values[np.ix_(order, order)].astype(np.float32),
        customdata=np.stack(np.broadcast_arrays(order[:, None], order[None, :]), axis=-1).astype(np.int16),
        colorscale=look.scale(),
        hoverongaps=False,
        colorbar=bar_below(value, tickformat=",.3~g", nticks=6),
        hovertemplate=f"image %{{customdata[0]}} and image %{{customdata[1]}}<br>{value} %{{z:,.6~g}}<extra></extra>",
    )
    starts, classes = _classes(labels)
    figure.update_layout(
        plot_bgcolor=GAP[look.scheme],
        meta={"select": "pair", "rows": order.tolist()},
        margin={"l": 30, "b": BELOW},
        shapes=[_mark(name) for name in ("pair", "mirror")],
    )
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(tickvals=starts, ticktext=classes, showticklabels=bool(starts), showgrid=False, zeroline=False)
    figure.update_xaxes(constrain="domain", tickangle=-40)
    figure.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain", automargin=True)
    return figure


def _classes(labels: Sequence[str]) -> tuple[list[int], list[str]]:
    """Where each class begins, if the rows are ordered by class and these are few."""
    classes = [label.split(" · ", 1)[-1] for label in labels]
    starts = [n for n, name in enumerate(classes) if n == 0 or classes[n - 1] != name]
    return (starts, [classes[n] for n in starts]) if len(starts) == len(set(classes)) <= 40 else ([], [])


def _mark(name: str) -> dict[str, object]:
    """Around the chosen pair's cells; the page moves them."""
    line = {"color": PARTNER, "width": 2}
    return {"type": "rect", "name": name, "visible": False, "x0": 0, "x1": 0, "y0": 0, "y1": 0, "line": line}
