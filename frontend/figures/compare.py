"""Several runs in one figure: a similarity over training, and the early-to-mid ratio against the error (Fig. 7)."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from backend.regression import Line
from frontend.figures.chart import Chart, Properties, scatter
from frontend.figures.look import SYMBOLS, Look, dress, empty, gaps

Statistic = Literal["median", "mean"]
HEIGHT = 460
BANDS_UP_TO = 8
"""More bands than this would hide one another; then lines stand alone, and hovering still says the band."""

LEGEND_UP_TO = 20

# Okabe and Ito's colours, told apart by colour-blind eyes; black is left to the ink of the page.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#a6761d")


class Overlay(NamedTuple):
    """One line of the overlay: a run, or the mean over the runs of a group with their standard deviation."""

    name: str
    group: str
    epochs: Float[ndarray, " recordings"]
    values: Float[ndarray, " recordings"]
    low: Float[ndarray, " recordings"]
    high: Float[ndarray, " recordings"]
    undefined: Float[ndarray, " recordings"]
    band: str


class RatioDot(NamedTuple):
    """A run of Fig. 7, with what a click opens."""

    name: str
    group: str
    href: str
    ratio: float
    error: float
    complete: bool


def colours_of(groups: Sequence[str]) -> dict[str, str]:
    """A colour for each group, the same wherever the group is shown; they repeat after the eighth."""
    return {group: COLOURS[n % len(COLOURS)] for n, group in enumerate(sorted(set(groups)))}


def mean_over_runs(name: str, runs: Sequence[Overlay]) -> Overlay:
    """Mean and standard deviation (n - 1) over the runs that have a value at the epoch; of one run, no band."""
    epochs = np.unique(np.concatenate([run.epochs for run in runs]))
    table = np.full((len(runs), len(epochs)), np.nan)
    for n, run in enumerate(runs):
        table[n, np.searchsorted(epochs, run.epochs)] = run.values
    count = (~np.isnan(table)).sum(axis=0)
    mean = np.where(count > 0, np.nansum(table, axis=0) / np.maximum(count, 1), np.nan)
    square = np.nansum((table - mean) ** 2, axis=0)
    std = np.where(count > 1, np.sqrt(square / np.maximum(count - 1, 1)), np.nan)
    undefined = np.nansum([np.interp(epochs, run.epochs, run.undefined, 0, 0) for run in runs], axis=0)
    return Overlay(name, name, epochs, mean, mean - std, mean + std, undefined, f"± 1 s.d. of {len(runs)} runs")


def overlaid(lines: Sequence[Overlay], look: Look, *, title_y: str, revision: str) -> Chart:
    """A line per run or group over the epochs, in the group's colour; with few of them the band of each."""
    if not lines:
        return empty("None of these runs has this layer and quantity.", look, HEIGHT)
    figure = Chart()
    dress(figure, look, revision=revision, height=HEIGHT)
    colours = colours_of([line.group for line in lines])
    figure.update_layout(showlegend=len(colours) <= LEGEND_UP_TO, hovermode="closest")
    if len(lines) > LEGEND_UP_TO:
        for trace in _merged(lines, colours):
            figure.add_trace(trace)
    else:
        _each(figure, lines, colours)
    figure.update_xaxes(title={"text": "epoch"}, zeroline=False)
    figure.update_yaxes(title={"text": title_y}, zeroline=False)
    return figure


def _each(figure: Chart, lines: Sequence[Overlay], colours: Mapping[str, str]) -> None:
    """A trace for each line, and below them the bands where they are few."""
    few = len(lines) <= BANDS_UP_TO
    for line in lines if few else ():
        _band(figure, line, colours[line.group])
    shown: set[str] = set()
    for line in lines:
        figure.add_scatter(
            x=line.epochs.tolist(),
            y=gaps(line.values),
            mode="lines+markers" if len(line.epochs) < 3 else "lines",
            name=_plain(line.group),
            legendgroup=line.group,
            showlegend=line.group not in shown,
            line={"color": colours[line.group], "width": 2.2 if few else 1.4},
            customdata=np.stack([line.low, line.high, line.undefined], axis=1),
            hovertemplate=f"<b>{_plain(line.name)}</b><br>epoch %{{x:.4g}}: %{{y:.4f}}<br>{line.band} "
            "%{customdata[0]:.4f} to %{customdata[1]:.4f}, %{customdata[2]} undefined<extra></extra>",
        )
        shown.add(line.group)


def _merged(lines: Sequence[Overlay], colours: Mapping[str, str]) -> list[Properties]:
    """All lines of a colour as one trace with gaps between them: hundreds of traces would take seconds to build."""
    traces = []
    for colour in dict.fromkeys(colours.values()):
        own = [line for line in lines if colours[line.group] == colour]
        x = [np.append(line.epochs, np.nan) for line in own]
        y = [np.append(line.values, np.nan) for line in own]
        names = [_plain(line.name) for line in own for _ in range(len(line.epochs) + 1)]
        hover = "<b>%{text}</b><br>epoch %{x:.4g}: %{y:.4f}<extra></extra>"
        style = {"mode": "lines", "line": {"color": colour, "width": 1.1}, "opacity": 0.6, "showlegend": False}
        numbers = {"x": np.concatenate(x), "y": np.round(np.concatenate(y), 6)}
        traces.append(scatter(**numbers, text=names, hovertemplate=hover, **style))
    return traces


def ratio_against_error(
    dots: Sequence[RatioDot], line: Line, look: Look, *, title_y: str, left_out: int, revision: str
) -> Chart:
    """A dot per run, hollow while its ratio may still change; the least-squares line, r with its interval as title."""
    if not dots:
        return empty("None of these runs has an early-to-mid ratio; the list below says why.", look, HEIGHT)
    figure = Chart()
    dress(figure, look, revision=revision, height=HEIGHT)
    groups = list(dict.fromkeys(sorted(dot.group for dot in dots)))
    colours = colours_of(groups)
    for n, group in enumerate(groups):
        own = [(dot, r) for dot, r in zip(dots, line.without.tolist(), strict=True) if dot.group == group]
        figure.add_scatter(
            x=[dot.ratio for dot, _ in own],
            y=[dot.error for dot, _ in own],
            mode="markers",
            name=_plain(group),
            marker={
                "size": 11,
                "color": colours[group],
                "symbol": [SYMBOLS[n % len(SYMBOLS)] + ("" if dot.complete else "-open") for dot, _ in own],
                "line": {"width": 1.2, "color": look.ink},
            },
            text=[_words(dot, r) for dot, r in own],
            customdata=[dot.href for dot, _ in own],
            hovertemplate="%{text}<extra></extra>",
        )
    if line.slope is not None and line.intercept is not None:
        ends = np.array([min(dot.ratio for dot in dots), max(dot.ratio for dot in dots)])
        figure.add_scatter(
            x=ends.tolist(),
            y=(line.intercept + line.slope * ends).tolist(),
            mode="lines",
            name="least squares",
            line={"color": look.ink, "width": 1.5, "dash": "dash"},
            hoverinfo="skip",
        )
    figure.update_layout(
        showlegend=True,
        title={
            "text": line_words(line, left_out).replace("; with", ";<br>with").replace("slope", "<br>slope"),
            "font": {"size": 13},
            "x": 0.01,
            "y": 0.95,
            "yanchor": "top",
        },
        margin={"t": 110},
    )
    figure.update_xaxes(title={"text": "early / middle cross-path similarity"}, zeroline=False)
    figure.update_yaxes(title={"text": title_y}, zeroline=False)
    return figure


def line_words(line: Line, left_out: int = 0) -> str:
    """What the line says in one sentence: r, its interval, the slope, how r moves when one run is left out."""
    missing = f"; {left_out} without a ratio" if left_out else ""
    if line.r is None:
        return f"{line.dots} {'run' if line.dots == 1 else 'runs'}, no line: {line.reason}{missing}"
    known = line.without[~np.isnan(line.without)]
    without = f"; with one run left out {known.min():.2f} to {known.max():.2f}" if len(known) else ""
    return (
        f"r = {line.r:.3f} (95 % bootstrap {line.low:.2f} to {line.high:.2f}{without}), "
        f"slope {line.slope:.3g}, {line.dots} runs{missing}"
    )


def _band(figure: Chart, line: Overlay, colour: str) -> None:
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    edge = {"x": line.epochs.tolist(), "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(**edge, y=gaps(line.low), legendgroup=line.group)
    fill: Properties = {"fill": "tonexty", "fillcolor": f"rgba({red},{green},{blue},0.15)"}
    figure.add_scatter(**edge, y=gaps(line.high), legendgroup=line.group, **fill)


def _words(dot: RatioDot, without: float) -> str:
    change = "" if dot.complete else "<br>may still change: the second decay has not passed"
    r = "" if np.isnan(without) else f"<br>r without this run {without:.3f}"
    return f"<b>{_plain(dot.name)}</b><br>ratio {dot.ratio:.4f}, error {dot.error:.4f}{r}{change}"


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("%{", "% {")
