"""Heat maps over training: one image's self-similarity layer by layer, and its cross-path similarity image by image."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from backend.series import ImageRows, LayerRows
from frontend.figures.chart import Chart
from frontend.figures.look import GAP, PARTNER, Look, base, cursor, empty, gaps, low_end, times

MARK = "#1a1b1e"
SETTLED = 0.9
"""A layer whose value stays at it or above is said to have settled."""


def layers_height(layers: int, least: int = 320) -> int:
    """In pixels, for a heat map with a row per layer, beside a figure of `least`."""
    return max(least, 90 + 24 * layers)


def layers_over_training(
    rows: LayerRows,
    names: Sequence[str],
    epochs: Sequence[float],
    look: Look,
    *,
    layer: int,
    revision: str,
    t: int | None = None,
    value: str = "self-similarity",
    counted: bool = False,
    least_height: int = 320,
) -> Chart:
    """A value of each layer, a row per layer and a column per recording; a frame marks the chosen layer.

    The scale of colours ends at 1, or where values are `counted` at the largest.
    """
    height = layers_height(len(rows.layers), least_height)
    if not rows.values.size:
        return empty("This comparison begins with the second recording.", look, height)
    figure = _heat_map(rows.values, rows.recordings, epochs, look, "layer", revision, t, height)
    figure.data[0].update(
        y=rows.layers.tolist(),
        customdata=[[name] * len(rows.recordings) for name in names],
        hovertemplate=f"layer %{{y}} (%{{customdata}})<br>{value} %{{z:{',' if counted else '.4f'}}}<br>%{{text}}"
        "<extra></extra>",
    )
    if not counted and not np.isnan(rows.values[:, -1]).all():
        figure.update_layout(title=_settling(rows, look, height), margin={"t": 48})
    if counted:
        figure.data[0].update(zmin=0, zmax=max(1.0, float(np.nanmax(rows.values, initial=1.0))))
    _frame(figure, layer, rows.recordings, MARK)
    figure.update_layout(meta={"select": "layer", "rows": rows.layers.tolist()})
    figure.update_yaxes(tickvals=rows.layers.tolist(), autorange="reversed")
    return figure


def _settling(rows: LayerRows, look: Look, height: int) -> dict[str, Any]:
    """Which layer settles last: colours saturate, so it is said."""
    newest = rows.values[:, -1]
    row = int(np.nanargmin(newest))
    lowest, highest = f"{newest[row]:.4f}", f"{np.nanmax(newest):.4f}"
    which = f"lowest at t = {rows.recordings[-1]}: layer {rows.layers[row]}, {lowest}"
    alike = f"at t = {rows.recordings[-1]} all layers are at {lowest}"
    text = f"{_last_settled(rows)}<br>{alike if lowest == highest and not np.isnan(newest).any() else which}"
    place = {"x": 0, "xref": "paper", "y": 1 - 22 / height, "yanchor": "top"}
    return {"text": text, "font": {"size": 12, "color": look.ink}, **place}


def _last_settled(rows: LayerRows) -> str:
    """The layers that stay at SETTLED or above from the latest recording on, or those that do not yet."""
    below = [np.flatnonzero(~(values >= SETTLED)) for values in rows.values]
    since = np.array([places[-1] + 1 if len(places) else 0 for places in below])
    latest = int(since.max())
    which = ", ".join(str(k) for k in rows.layers[since == latest])
    layers = f"layer{'s' if (since == latest).sum() > 1 else ''} {which}"
    if latest == len(rows.recordings):
        return f"not yet at {SETTLED}: {layers}"
    return f"last to stay at {SETTLED} or above: {layers}, from t = {rows.recordings[latest]}"


def row_order(rows: ImageRows, labels: Sequence[int], image: int, by: str) -> Int[ndarray, " others"]:
    """The other images from top to bottom: by label (then index), or by the newest defined value, the largest first."""
    others = np.delete(np.arange(len(labels)), image)
    if by == "value" and len(rows.values):
        newest = np.array([_last_known(rows.values[:, other]) for other in others])
        return others[np.argsort(-newest, kind="stable")]
    return others[np.argsort(np.asarray(labels)[others], kind="stable")]


def pairs_over_training(
    rows: ImageRows,
    order: Int[ndarray, " others"],
    names: Sequence[str],
    epochs: Sequence[float],
    look: Look,
    *,
    partner: int | None,
    revision: str,
    t: int | None = None,
) -> Chart:
    """The cross-path similarity of one image with every other, a row per image; a frame marks the chosen partner."""
    if not rows.values.size:
        return empty("Cross-path similarity begins with the second recording.", look, height=460)
    figure = _heat_map(rows.values[:, order].T, rows.recordings, epochs, look, "other image", revision, t, 460)
    labels = [names[other] for other in order.tolist()]
    figure.data[0].update(
        y=list(range(len(order))),
        customdata=[[label] * len(rows.recordings) for label in labels],
        hovertemplate="with %{customdata}<br>cross-path similarity %{z:.4f}<br>%{text}<extra></extra>",
    )
    place = np.flatnonzero(order == partner)
    _frame(figure, int(place[0]) if len(place) else None, rows.recordings, PARTNER)
    figure.update_layout(meta={"select": "partner", "rows": order.tolist()})
    classes = [label.split(" · ", 1)[-1] for label in labels]
    starts = [n for n, name in enumerate(classes) if n == 0 or classes[n - 1] != name]
    if len(starts) == len(set(classes)) <= 40:
        figure.update_yaxes(tickvals=starts, ticktext=[classes[n] for n in starts])
    else:
        figure.update_yaxes(showticklabels=False)
    figure.update_yaxes(autorange="reversed")
    return figure


def _frame(figure: Chart, row: int | None, recordings: Int[ndarray, " recordings"], colour: str) -> None:
    """Frame a row of the heat map: the shapes called "row", invisible where no row is chosen."""
    y = -1 if row is None else row
    shape: dict[str, Any] = {
        "type": "rect",
        "name": "row",
        "visible": row is not None,
        "x0": int(recordings[0]) - 0.5,
        "x1": int(recordings[-1]) + 0.5,
        "y0": y - 0.5,
        "y1": y + 0.5,
        "line": {"color": colour, "width": 2},
    }
    figure.add_shapes(_halo(shape), shape)


def _halo(shape: dict[str, Any]) -> dict[str, Any]:
    """The same in white and wider, to lie beneath: a line must be seen on dark shades as well as on light ones."""
    return {**shape, "line": {"color": "white", "width": shape["line"]["width"] + 2.5}}


def _heat_map(
    values: Float[ndarray, "rows recordings"],
    recordings: Int[ndarray, " recordings"],
    epochs: Sequence[float],
    look: Look,
    title_y: str,
    revision: str,
    t: int | None,
    height: int,
) -> Chart:
    figure = base(title_y, look, revision=revision, t=t, height=height, recordings=len(recordings))
    line = {**cursor(t, look), "line": {"color": MARK, "width": 1.5}}
    figure.layout["shapes"] = [_halo(line), line]
    figure.add_heatmap(
        x=recordings.tolist(),
        z=gaps(values),
        text=[times(recordings, epochs)] * len(values),
        colorscale=look.scale(),
        zmin=low_end(values),
        zmax=1,
        hoverongaps=False,
        colorbar={"thickness": 10, "len": 1, "tickformat": ".2~f"},
    )
    figure.update_layout(plot_bgcolor=GAP[look.scheme])
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False)
    return figure


def _last_known(values: Float[ndarray, " recordings"]) -> float:
    known = values[~np.isnan(values)]
    return float(known[-1]) if len(known) else -np.inf
