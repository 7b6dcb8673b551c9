"""Two images over training: how close they are, and which rank each has among the neighbours of the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.schemas import Quantity
from backend.series import PairCourse, PairLayers
from frontend.figures.chart import Chart
from frontend.figures.look import PARTNER, Look, base, dress, empty, gaps, times

RANK_TICKS = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


def closeness_of_pair(data: PairCourse, epochs: Sequence[float], look: Look, *, revision: str) -> Chart:
    """One line: units that both switch on, or the cosine of their activations."""
    if not len(data.recordings):
        return empty("Nothing has been recorded yet.", look)
    words = "path overlap (units)" if look.quantity is Quantity.PATH else "activation similarity"
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
    """At one recording, layer by layer: cross-path similarity as bars, both ranks as dots on the right-hand axis."""
    if not len(data.layers):
        return empty("The layers are known once the net is built.", look)
    figure = Chart()
    dress(figure, look, revision=revision, height=320)
    x = [f"{k} · {name}" for k, name in zip(data.layers.tolist(), layer_names, strict=True)]
    worst = max(4, int(data.rank.max()), int(data.back.max()))
    hover = [_layer_words(data, n, look.quantity) for n in range(len(x))]
    figure.add_bar(
        x=x, y=gaps(data.cross_path), marker={"color": look.band(0.25)}, name="cross-path similarity", text=hover,
        textposition="none", hovertemplate="<b>%{x}</b><br>%{text}<extra></extra>",
    )  # fmt: skip
    for ranks, words, colour, symbol in (
        (data.rank, "rank of the partner", look.line, "circle"),
        (data.back, "rank seen from the partner", PARTNER, "diamond-open"),
    ):
        figure.add_scatter(
            x=x,
            y=gaps(np.where(ranks < 0, np.nan, ranks.astype(np.float64))),
            yaxis="y2",
            mode="markers",
            marker={"size": 9, "color": colour, "symbol": symbol},
            name=words,
            hovertemplate=f"{words} %{{y}}<extra></extra>",
        )
    figure.update_layout(
        showlegend=True,
        margin={"r": 60},
        yaxis={"title": {"text": "cross-path similarity"}, "rangemode": "tozero"},
        yaxis2={
            "title": {"text": "rank"}, "overlaying": "y", "side": "right", "range": [worst + 0.5, -0.5],
            "showgrid": False, "zeroline": False, "tickmode": "auto", "nticks": 6, "tickformat": "d",
        },
    )  # fmt: skip
    return figure


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


def _layer_words(data: PairLayers, n: int, quantity: Quantity) -> str:
    close = "overlap" if quantity is Quantity.PATH else "activation similarity"
    numbers = {"cross-path similarity": data.cross_path[n], close: data.closeness[n]}
    words = [f"{name} {'undefined' if np.isnan(value) else f'{value:.6g}'}" for name, value in numbers.items()]
    return "<br>".join(words)
