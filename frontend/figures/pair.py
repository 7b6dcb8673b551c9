"""Two images over training: how close they are, and which rank each has among the neighbours of the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.schemas import Quantity
from backend.series import PairCourse, PairLayers
from frontend.figures.chart import Chart
from frontend.figures.look import PARTNER, Look, base, dress, empty, gaps, times

LAYERS_HEIGHT = 460
RANK_TICKS = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


def closeness_of_pair(data: PairCourse, epochs: Sequence[float], look: Look, *, revision: str) -> Chart:
    """One line: units that both switch on, or the cosine of their activations."""
    if not len(data.recordings):
        return empty("Nothing has been recorded yet.", look)
    words = closeness_words(look.quantity)
    figure = base(words, look, revision=revision, recordings=len(data.recordings))
    figure.update_layout(meta={"select": "t"})
    figure.add_scatter(
        x=data.recordings.tolist(),
        y=gaps(data.closeness),
        mode="lines+markers",
        marker={"size": 5},
        line={"color": look.line, "width": 2.5},
        name=words,
        text=times(data.recordings, epochs),
        hovertemplate=f"<b>{words} %{{y:.6~g}}</b><br>%{{text}}<extra></extra>",
    )
    return figure


def ranks_of_pair(
    data: PairCourse, names: tuple[str, str], epochs: Sequence[float], look: Look, *, revision: str
) -> Chart:
    """Two lines, one for each direction; rank 0, the nearest, on top. The axis shows rank + 1 on a log scale."""
    if not len(data.recordings):
        return empty("Nothing has been recorded yet.", look)
    figure = base("neighbour rank (0 is the nearest)", look, revision=revision, recordings=len(data.recordings))
    figure.update_layout(meta={"select": "t"}, showlegend=True)
    first, second = (name.replace("<", "&lt;") for name in names)
    for ranks, words, colour, dash in (
        (data.rank, f"{second} seen from {first}", look.line, "solid"),
        (data.back, f"{first} seen from {second}", PARTNER, "dash"),
    ):
        known = np.where(ranks < 0, np.nan, ranks.astype(np.float64))
        figure.add_scatter(
            x=data.recordings.tolist(),
            y=gaps(known + 1),
            customdata=gaps(known),
            mode="lines+markers",
            marker={"size": 5},
            line={"color": colour, "width": 2.2, "dash": dash},
            name=words,
            text=times(data.recordings, epochs),
            hovertemplate=f"<b>rank %{{customdata}}</b> of {words}<br>%{{text}}<extra></extra>",
        )
    ticks = [rank for rank in RANK_TICKS if rank < data.others]
    figure.update_yaxes(
        type="log",
        tickvals=[rank + 1 for rank in ticks],
        ticktext=[str(rank) for rank in ticks],
        range=[float(np.log10(data.others + 0.5)), float(np.log10(0.85))],
    )
    return figure


def layers_of_pair(data: PairLayers, layer_names: Sequence[str], look: Look, *, revision: str) -> Chart:
    """At one recording, layer by layer: cross-path similarity, closeness, and below them both ranks, 0 on top."""
    if not len(data.layers):
        return empty("The layers are known once the net is built.", look, LAYERS_HEIGHT)
    figure = Chart.grid(3, 1, shared_xaxes=True, vertical_spacing=0.07)
    dress(figure, look, revision=revision, height=LAYERS_HEIGHT)
    x = [f"{k} · {name}" for k, name in zip(data.layers.tolist(), layer_names, strict=True)]
    words = closeness_words(look.quantity)
    for row, values, name in ((1, data.cross_path, "cross-path similarity"), (2, data.closeness, words)):
        shown = f"<b>%{{x}}</b><br>{name} %{{y:.6~g}}<extra></extra>"
        style = {"marker": {"color": look.band(0.45)}, "showlegend": False}
        figure.add_trace({"type": "bar", "x": x, "y": gaps(values), "name": name, "hovertemplate": shown, **style}, row)
    for ranks, name, colour, symbol in (
        (data.rank, "rank of the second image seen from the first", look.line, "circle"),
        (data.back, "rank of the first seen from the second", PARTNER, "diamond-open"),
    ):
        figure.add_scatter(
            x=x,
            y=gaps(np.where(ranks < 0, np.nan, ranks.astype(np.float64))),
            mode="markers",
            marker={"size": 9, "color": colour, "symbol": symbol},
            name=name,
            cliponaxis=False,
            hovertemplate=f"<b>%{{x}}</b><br>{name}: %{{y}}<extra></extra>",
            row=3,
        )
    worst = max(4, int(data.rank.max()), int(data.back.max()))
    figure.update_layout(showlegend=True, legend={"y": -0.12, "yanchor": "top"}, margin={"b": 84})
    titles = ("cross-path", "overlap" if look.quantity is Quantity.PATH else "cosine", "rank")
    for row, title in enumerate(titles, start=1):
        figure.update_yaxes(title={"text": title, "standoff": 6}, zeroline=False, row=row)
    figure.update_yaxes(range=[0, 1.02], row=1)
    figure.update_yaxes(range=[1.08 * worst, -0.08 * worst], nticks=5, tickformat="d", row=3)
    return figure


def closeness_words(quantity: Quantity) -> str:
    return "path overlap (units)" if quantity is Quantity.PATH else "cosine of activations"


def pair_course_table(data: PairCourse, epochs: Sequence[float]) -> Mapping[str, Any]:
    """A row per recording."""
    return {
        "recording": data.recordings,
        "epoch": [epochs[t] for t in data.recordings.tolist()],
        "closeness": data.closeness,
        "rank_of_partner": data.rank,
        "rank_seen_from_partner": data.back,
    }


def pair_layers_table(data: PairLayers, layer_names: Sequence[str]) -> Mapping[str, Any]:
    """A row per layer."""
    return {
        "layer": data.layers,
        "name": list(layer_names),
        "cross_path": data.cross_path,
        "closeness": data.closeness,
        "rank_of_partner": data.rank,
        "rank_seen_from_partner": data.back,
    }
