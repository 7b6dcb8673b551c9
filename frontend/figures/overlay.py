"""Several runs on one axis: a measure of each over training, or its mean over the runs of each group."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from frontend.figures.chart import Chart, Properties, scatter
from frontend.figures.look import Look, dress, empty, gaps

HEIGHT = 460
BANDS_UP_TO = 8
"""More bands than this would hide one another; then lines stand alone, and hovering still says the band."""

# Okabe and Ito's colours, told apart by colour-blind eyes; black is left to the ink of the page.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#a6761d")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
DISTINCT = len(COLOURS) * len(DASHES)
LEGEND_IN_FILES_UP_TO = 20


class Style(NamedTuple):
    colour: str
    dash: str


class Overlay(NamedTuple):
    """One line of the overlay: a run with its middle half, or the mean over the runs of a group with their deviation.

    `runs` is of how many runs each value is the mean, out of `out_of` runs of the group; None for a run by itself.
    """

    name: str
    group: str
    epochs: Float[ndarray, " recordings"]
    values: Float[ndarray, " recordings"]
    low: Float[ndarray, " recordings"]
    high: Float[ndarray, " recordings"]
    undefined: Float[ndarray, " recordings"]
    runs: Int[ndarray, " recordings"]
    out_of: int | None = None


def styles_of(groups: Sequence[str]) -> dict[str, Style]:
    """A colour and a dash for each group in order: eight colours, then the same ones dashed; alike after forty."""
    known = dict.fromkeys(groups)
    places = [divmod(n, len(COLOURS)) for n in range(len(known))]
    styles = [Style(COLOURS[colour], DASHES[dash % len(DASHES)]) for dash, colour in places]
    return dict(zip(known, styles, strict=True))


def mean_over_runs(name: str, runs: Sequence[Overlay], most: float = 1.0) -> Overlay:
    """Mean and standard deviation (n - 1), within [0, most], over the runs that have a value at the epoch.

    Of one run there is no band.
    """
    epochs = np.unique(np.concatenate([run.epochs for run in runs]))
    table, undefined = np.full((len(runs), len(epochs)), np.nan), np.zeros(len(epochs))
    for n, run in enumerate(runs):
        places = np.searchsorted(epochs, run.epochs)
        table[n, places] = run.values
        undefined[places] += run.undefined
    count = (~np.isnan(table)).sum(axis=0)
    mean = np.where(count > 0, np.nansum(table, axis=0) / np.maximum(count, 1), np.nan)
    square = np.nansum((table - mean) ** 2, axis=0)
    std = np.where(count > 1, np.sqrt(square / np.maximum(count - 1, 1)), np.nan)
    low, high = (np.clip(edge, 0, most) for edge in (mean - std, mean + std))
    return Overlay(name, runs[0].group, epochs, mean, low, high, undefined, count, len(runs))


def overlaid(lines: Sequence[Overlay], look: Look, *, title_y: str, revision: str, shares: bool = False) -> Chart:
    """A line per run or group over the epochs, in the group's colour and dash; with few of them the band of each.

    Lines are thin and dotted where some runs of the group have no value any more. `shares` are told in per cent.
    """
    if not lines:
        return empty("None of these runs has this to show.", look, HEIGHT)
    figure = Chart()
    dress(figure, look, revision=revision, height=HEIGHT)
    figure.update_layout(hovermode="closest", meta={"followed": len(lines) <= LEGEND_IN_FILES_UP_TO})
    styles = styles_of([line.group for line in lines])
    if len(lines) > DISTINCT:
        for trace in _merged(lines, styles):
            figure.add_trace(trace)
    else:
        _each(figure, lines, styles)
    figure.update_xaxes(title={"text": "epoch"}, zeroline=False)
    figure.update_yaxes(title={"text": title_y}, zeroline=False, tickformat=".0%" if shares else None)
    return figure


def _each(figure: Chart, lines: Sequence[Overlay], styles: Mapping[str, Style]) -> None:
    """A trace for each line, and below them the bands where they are few."""
    few = len(lines) <= BANDS_UP_TO
    for line in lines if few else ():
        if (band := _band(line, styles[line.group].colour)) is not None:
            figure.add_trace(band)
    for line in lines:
        whole = line.runs == (line.out_of or 1)
        width = 2.2 if few else 1.4
        for values, dotted in ((np.where(whole, line.values, np.nan), False), (_rest(line, whole), True)):
            if not dotted or not whole.all():
                figure.add_trace(_line(line, values, styles[line.group], width, dotted))


def _rest(line: Overlay, whole: ndarray) -> Float[ndarray, " recordings"]:
    """The values of fewer runs than the group has, with the neighbours that join them to the others."""
    fewer = np.pad(~whole, 1)
    return np.where(fewer[1:-1] | fewer[:-2] | fewer[2:], line.values, np.nan)


def _line(line: Overlay, values: Float[ndarray, " recordings"], style: Style, width: float, dotted: bool) -> Properties:
    dash = "dot" if dotted and style.dash == "solid" else style.dash
    return scatter(
        x=line.epochs.tolist(),
        y=gaps(values),
        mode="lines+markers" if len(line.epochs) < 3 else "lines",
        name=plain(line.name),
        legendgroup=plain(line.group),
        showlegend=not dotted,
        line={"color": style.colour, "dash": dash, "width": 1.2 if dotted else width},
        text=_said(line),
        hovertemplate="%{text}<extra></extra>",
    )


def _said(line: Overlay) -> list[str]:
    """What hovering says at each epoch."""
    said = []
    for n, (epoch, value) in enumerate(zip(line.epochs.tolist(), line.values.tolist(), strict=True)):
        words = [f"<b>{plain(line.name)}</b>", f"epoch {epoch:.4g}: {value:.4f}"]
        words += [f"mean of {line.runs[n]} of {line.out_of} runs"] if line.out_of else []
        known = not np.isnan(line.low[n])
        edges = f"{line.low[n]:.4f} to {line.high[n]:.4f}" if known else ""
        words += [f"{'± 1 s.d.' if line.out_of else 'middle half'} {edges}"] if known else []
        words += [f"{line.undefined[n]:g} undefined"] if line.undefined[n] else []
        said.append("<br>".join(words))
    return said


def _band(line: Overlay, colour: str) -> Properties | None:
    """A patch for each stretch of epochs where the band is known."""
    known = np.flatnonzero(~np.isnan(line.low))
    stretches = [one for one in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(one) > 1]
    x: list[Any] = []
    y: list[Any] = []
    for one in stretches:
        x += [*line.epochs[one].tolist(), *line.epochs[one][::-1].tolist(), None]
        y += [*gaps(line.low[one]), *gaps(line.high[one][::-1]), None]
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    fill = {"fill": "toself", "fillcolor": f"rgba({red},{green},{blue},0.15)", "line": {"width": 0}}
    patch = {"x": x, "y": y, "mode": "lines", "hoverinfo": "skip", "showlegend": False}
    return scatter(**patch, legendgroup=plain(line.group), **fill) if stretches else None


def _merged(lines: Sequence[Overlay], styles: Mapping[str, Style]) -> list[Properties]:
    """All lines of a colour as one trace with gaps between them: hundreds of traces would take seconds to build."""
    traces = []
    for colour in dict.fromkeys(style.colour for style in styles.values()):
        own = [line for line in lines if styles[line.group].colour == colour]
        x = [np.append(line.epochs, np.nan) for line in own]
        y = [np.append(line.values, np.nan) for line in own]
        names = [plain(line.name) for line in own for _ in range(len(line.epochs) + 1)]
        hover = "<b>%{text}</b><br>epoch %{x:.4g}: %{y:.4f}<extra></extra>"
        style = {"mode": "lines", "line": {"color": colour, "width": 1.1}, "opacity": 0.6, "showlegend": False}
        numbers = {"x": np.concatenate(x), "y": np.round(np.concatenate(y), 6)}
        traces.append(scatter(**numbers, text=names, hovertemplate=hover, **style))
    return traces


def plain(text: str) -> str:
    """Nothing in it means anything to Plotly."""
    return text.replace("<", "&lt;").replace("%{", "% {")
