"""The early-to-mid ratio of each layer, and the stages of training that it compares (Fig. 7)."""

from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Float
from numpy import ndarray

from backend.early_to_mid import EarlyToMid
from backend.series import LayerRows
from frontend.figures.chart import Chart, Properties, scatter
from frontend.figures.look import Look, dress, empty, gaps

HEIGHT = 420
STAGES = (("early", "#2f9e44"), ("middle", "#e8a317"))


class Stages(NamedTuple):
    """The ratios, the mean cross-path similarity that they are made of, and the epochs where the rate falls."""

    ratios: EarlyToMid
    means: LayerRows
    decays: tuple[int, ...]


def early_to_mid_of_layers(
    data: Stages, names: Sequence[str], epochs: Sequence[float], look: Look, *, revision: str
) -> Chart:
    """Left the mean of every layer over epochs with both stages shaded, right each layer's ratio and that of all."""
    if not data.means.values.size:
        return empty("Cross-path similarity begins with the second recording.", look, HEIGHT)
    whole = data.ratios.over_layers
    right = "early / middle" if whole.ratio is None else f"early / middle,<br>over layers {whole.ratio:.4f}"
    titles = ["mean cross-path<br>similarity", right]
    figure = Chart.grid(1, 2, column_widths=[0.6, 0.4], subplot_titles=titles, horizontal_spacing=0.14)
    dress(figure, look, revision=revision, height=HEIGHT)
    figure.update_annotations(font={"size": 12, "color": look.ink})
    x = [epochs[t] for t in data.means.recordings.tolist()]
    colours = look.layer_colours(len(data.means.layers))
    for k, values, colour in zip(data.means.layers.tolist(), data.means.values, colours, strict=True):
        figure.add_trace(_line(x, values, k, names[k - 1], colour), row=1, col=1)
    ratios = [data.ratios.layers[k].ratio if k in data.ratios.layers else None for k in data.means.layers.tolist()]
    figure.add_trace(_dots(ratios, data, names, colours), row=1, col=2)
    _shade(figure, data.decays, max(x))
    if whole.ratio is not None:
        figure.add_vline(x=whole.ratio, line={"dash": "dash", "color": look.ink, "width": 1.5}, row=1, col=2)
    elif whole.reason:
        figure.add_annotation(
            text=_folded(whole.reason), x=0.5, y=0.5, xref="x2 domain", yref="y2 domain", showarrow=False
        )
    figure.update_layout(meta={"select": "trace"}, hovermode="closest", margin={"t": 46, "l": 44})
    figure.update_xaxes(title={"text": "epoch", "standoff": 8}, row=1, col=1, zeroline=False)
    figure.update_xaxes(title={"text": "early-to-mid ratio", "standoff": 8}, row=1, col=2, zeroline=False)
    figure.update_yaxes(zeroline=False)
    figure.update_yaxes(title={"text": "layer"}, row=1, col=2, autorange="reversed", tickformat="d", dtick=1)
    return figure


def _line(x: list[float], values: Float[ndarray, " recordings"], k: int, name: str, colour: str) -> Properties:
    hover = f"layer {k} ({name})<br>epoch %{{x:.4~g}}<br>mean %{{y:.4f}}<extra></extra>"
    style = {"color": colour, "width": 2}
    return scatter(x=x, y=gaps(values), mode="lines", line=style, hovertemplate=hover, meta={"layer": k})


def _dots(ratios: list[float | None], data: Stages, names: Sequence[str], colours: list[str]) -> Properties:
    layers = data.means.layers.tolist()
    parts = [data.ratios.layers.get(k) for k in layers]
    text = [
        f"layer {k} ({names[k - 1]})<br>early {_number(part.early)}, middle {_number(part.mid)}" if part else ""
        for k, part in zip(layers, parts, strict=True)
    ]
    return scatter(
        x=ratios,
        y=layers,
        mode="markers",
        marker={"size": 11, "color": colours, "line": {"width": 1, "color": "#868e96"}},
        text=text,
        hovertemplate="%{text}<br>ratio %{x:.4f}<extra></extra>",
    )


def _shade(figure: Chart, decays: tuple[int, ...], last: float) -> None:
    bounds = (0, *decays[:2])
    for (name, colour), begin, end in zip(STAGES, bounds[:-1], bounds[1:], strict=False):
        place = {"xref": "x", "yref": "y domain"}
        ends = {"x0": begin, "x1": min(end, max(last, begin)), "y0": 0, "y1": 1}
        figure.add_shapes({"type": "rect", **place, **ends, "fillcolor": colour, "opacity": 0.13, "line": {"width": 0}})
        corner = {"x": begin, "y": 0, "xanchor": "left", "yanchor": "bottom", "showarrow": False, **place}
        figure.add_annotation(text=name, font={"size": 11}, **corner)


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _folded(text: str, width: int = 36) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += f" {word}"
    return "<br>".join(line.strip() for line in lines)
