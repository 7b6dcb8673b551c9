"""A dot for each run: the early-to-mid ratio against the error (Fig. 7), and an outcome against a field."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backend.regression import Line
from frontend.figures.chart import Chart
from frontend.figures.look import FEW, SYMBOLS, Look, dress, empty
from frontend.figures.overlay import HEIGHT, LEGEND_IN_FILES_UP_TO, plain, styles_of


class RatioDot(NamedTuple):
    """A run of Fig. 7, with what a click opens."""

    name: str
    group: str
    href: str
    ratio: float
    error: float
    complete: bool


class OutcomeDot(NamedTuple):
    """A run: the value of a field of its spec, and what came of it."""

    name: str
    group: str
    href: str
    field: float
    outcome: float


def ratio_against_error(
    dots: Sequence[RatioDot], line: Line, look: Look, *, title_y: str, left_out: int, revision: str
) -> Chart:
    """A dot per run, hollow while its ratio may still change; the least-squares line, r with its interval as title."""
    if not dots:
        return empty("None of these runs has an early-to-mid ratio; the list below says why.", look, HEIGHT)
    figure = Chart()
    dress(figure, look, revision=revision, height=HEIGHT)
    groups = list(dict.fromkeys(sorted(dot.group for dot in dots)))
    styles = styles_of(groups)
    for n, group in enumerate(groups):
        own = [(dot, r) for dot, r in zip(dots, line.without.tolist(), strict=True) if dot.group == group]
        figure.add_scatter(
            x=[dot.ratio for dot, _ in own],
            y=[dot.error for dot, _ in own],
            mode="markers",
            name=plain(group),
            marker={
                "size": 11,
                "color": styles[group].colour,
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


def outcome_against_field(
    dots: Sequence[OutcomeDot], look: Look, *, title_x: str, title_y: str, left_out: int, revision: str
) -> Chart:
    """A dot per run in the colour of its group; a field that spans a power of ten has a logarithmic axis."""
    if not dots:
        return empty(f"None of these runs has both {title_x} and {title_y}.", look, HEIGHT)
    figure = Chart()
    dress(figure, look, revision=revision, height=HEIGHT)
    styles = styles_of([dot.group for dot in dots])
    for n, (group, style) in enumerate(styles.items()):
        own = [dot for dot in dots if dot.group == group]
        figure.add_scatter(
            x=[dot.field for dot in own],
            y=[dot.outcome for dot in own],
            mode="markers",
            name=plain(group),
            marker={"size": 11, "color": style.colour, "symbol": SYMBOLS[n % len(SYMBOLS)], "opacity": 0.8},
            text=[plain(dot.name) for dot in own],
            customdata=[dot.href for dot in own],
            hovertemplate=f"<b>%{{text}}</b><br>{title_x} %{{x:.6~g}}<br>{title_y} %{{y:.4f}}<extra></extra>",
        )
    missing = f"{left_out} {'run' if left_out == 1 else 'runs'} left out, without {title_x} or {title_y}"
    words = {"text": missing, "font": {"size": 13}, "x": 0.01, "y": 0.97, "yanchor": "top"} if left_out else None
    figure.update_layout(showlegend=len(styles) <= LEGEND_IN_FILES_UP_TO, hovermode="closest", title=words)
    values = sorted({dot.field for dot in dots})
    figure.update_xaxes(title={"text": title_x}, zeroline=False)
    figure.update_xaxes(type="log" if 0 < 10 * values[0] <= values[-1] else "linear")
    if len(values) <= FEW:
        figure.update_xaxes(tickvals=values, ticktext=[f"{value:.6g}" for value in values])
    figure.update_yaxes(title={"text": title_y}, zeroline=False, tickformat=".1%" if "accuracy" in title_y else None)
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


def _words(dot: RatioDot, without: float) -> str:
    change = "" if dot.complete else "<br>may still change: the second decay has not passed"
    r = "" if np.isnan(without) else f"<br>r without this run {without:.3f}"
    return f"<b>{plain(dot.name)}</b><br>ratio {dot.ratio:.4f}, error {dot.error:.4f}{r}{change}"
