"""Maps over two recordings: how much of a path is left, and what the net says along earlier paths."""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from backend.series import ProjectionMap, TimeMap
from frontend.figures.chart import Chart, Properties, heatmap
from frontend.figures.look import BELOW, FEW, GAP, Look, bar_below, base, cursor, dress, empty, low_end

HEIGHT = 460
MARK = "#1a1b1e"
LEAST_LOSS = 1e-4
"""Smaller ones have the same colour."""


def time_map(data: TimeMap, look: Look, *, revision: str) -> Chart:
    """The similarity of paths at any two recordings; where it is dark off the diagonal, paths have frozen."""
    count = len(data.recordings)
    if count < 2:
        return empty("Two recordings are needed to compare two times.", look, HEIGHT)
    figure = base("recording s", look, revision=revision, height=HEIGHT, recordings=count)
    figure.add_heatmap(
        x=data.recordings.tolist(),
        y=data.recordings.tolist(),
        z=data.values.astype(np.float32),
        customdata=data.undefined.astype(np.int32),
        colorscale=look.scale(),
        zmin=low_end(data.values),
        zmax=1,
        hoverongaps=False,
        colorbar=bar_below("self-similarity of paths", tickformat=".2~f"),
        hovertemplate="s = %{y}, t = %{x}<br>similarity %{z:.4f}<br>%{customdata} undefined<extra></extra>",
    )
    cursors = [{**_cursor(look), "yref": "y domain"}]
    figure.update_layout(plot_bgcolor=GAP[look.scheme], meta={"select": "t"}, shapes=cursors, margin={"b": BELOW})
    figure.update_xaxes(showgrid=False, constrain="domain")
    figure.update_yaxes(autorange="reversed", showgrid=False, scaleanchor="x", constrain="domain", tickformat="d")
    if count <= FEW:
        figure.update_yaxes(dtick=1)
    return figure


def projection_map(data: ProjectionMap, look: Look, *, alone: bool, revision: str) -> Chart:
    """Loss and accuracy on the weights of t along the paths of s ≤ t; of one image alone, right or wrong."""
    if not len(data.recordings):
        return empty("Projections begin with the first recording.", look, HEIGHT)
    titles = ["loss (nats)", "right or wrong" if alone else "accuracy"]
    figure = Chart.grid(1, 2, shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.04)
    dress(figure, look, revision=revision, height=HEIGHT)
    figure.update_annotations(font={"size": 12, "color": look.ink})
    figure.add_trace(_losses(data, look), row=1, col=1)
    figure.add_trace(_verdicts(data, look) if alone else _accuracies(data, look), row=1, col=2)
    figure.add_annotation(
        text="weights of recording t", font={"size": 14}, showarrow=False,
        x=0.5, xref="paper", y=0, yref="paper", yanchor="top", yshift=-20,
    )  # fmt: skip
    figure.update_xaxes(tickformat="d", showgrid=False, zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False, tickformat="d")
    figure.update_yaxes(title={"text": "path of recording s", "standoff": 8}, col=1)
    cursors = [{**_cursor(look), "xref": axis} for axis in ("x", "x2")]
    figure.update_layout(
        plot_bgcolor=GAP[look.scheme], meta={"select": "t"}, margin={"t": 30, "b": BELOW}, shapes=cursors
    )
    return figure


def _losses(data: ProjectionMap, look: Look) -> Properties:
    """On a logarithmic scale of colours: along paths of long ago losses are larger by orders of magnitude."""
    logs = np.log10(np.maximum(data.loss, LEAST_LOSS))
    known = logs[np.isfinite(logs)]
    low, high = (int(np.floor(known.min())), int(np.ceil(known.max()))) if len(known) else (-1, 1)
    powers = list(range(low, max(high, low + 1) + 1))
    told = powers[:: -(-len(powers) // 4)]
    bar = {"x": 0.24, "tickvals": told, "ticktext": [f"{10.0**power:g}" for power in told]}
    return _panel(data, logs, look, (powers[0], powers[-1]), bar, [data.loss], "loss %{customdata[1]:.4~g}")


def _accuracies(data: ProjectionMap, look: Look) -> Properties:
    bar = {"x": 0.76, "tickformat": ".0%", "tickvals": [0, 0.5, 1]}
    return _panel(data, data.accuracy, look, (0, 1), bar, [], "accuracy %{z:.1%}")


def _verdicts(data: ProjectionMap, look: Look) -> Properties:
    """Two colours, for an image is right or wrong and nothing between."""
    bar = {"x": 0.76, "tickvals": [0.25, 0.75], "ticktext": ["wrong", "right"], "ticks": ""}
    panel = _panel(data, data.accuracy, look, (0, 1), bar, [], "%{text}")
    wrong, right = look.scale()[1][1], look.scale()[-2][1]
    words = np.where(data.accuracy == 1, "right", np.where(data.accuracy == 0, "wrong", "undefined"))
    return {**panel, "colorscale": [[0, wrong], [0.5, wrong], [0.5, right], [1, right]], "text": words.tolist()}


def _panel(
    data: ProjectionMap,
    values: Float[ndarray, "recordings recordings"],
    look: Look,
    reach: tuple[float, float],
    bar: dict[str, Any],
    further: list[ndarray],
    shown: str,
) -> Properties:
    return heatmap(
        x=data.recordings.tolist(),
        y=data.recordings.tolist(),
        z=values.astype(np.float32),
        customdata=np.dstack([data.undefined.astype(np.float32), *(one.astype(np.float32) for one in further)]),
        colorscale=look.scale(),
        zmin=reach[0],
        zmax=reach[1],
        hoverongaps=False,
        colorbar=bar_below("", **{"len": 0.42, **bar}),
        hovertemplate=f"path of s = %{{y}}, weights of t = %{{x}}<br>{shown}<br>%{{customdata[0]}} undefined"
        "<extra></extra>",
    )


def _cursor(look: Look) -> dict[str, Any]:
    return {**cursor(None, look), "line": {"color": MARK, "width": 1.5, "dash": "dot"}}
