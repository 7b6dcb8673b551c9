"""How well a net learns: losses, accuracies and the learning rate over its recordings."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from backend.schemas import RecordingOut
from frontend.figures.chart import Chart
from frontend.figures.look import RATE, TEST, TRAIN, Look, cursor, dress, empty, gaps, times

HEIGHT = 460
MOST_LEVELS = 4
"""Of no more rates each is a tick; more would not have the room."""


class TrainingCurves(NamedTuple):
    """Losses and accuracies on all clean training and test images at each recording; NaN where not measured."""

    recordings: Int[ndarray, " recordings"]
    epochs: Float[ndarray, " recordings"]
    lr: Float[ndarray, " recordings"]
    train_loss: Float[ndarray, " recordings"]
    test_loss: Float[ndarray, " recordings"]
    train_accuracy: Float[ndarray, " recordings"]
    test_accuracy: Float[ndarray, " recordings"]
    decays: tuple[int, ...]


def curves_of(recordings: Sequence[RecordingOut], decays: tuple[int, ...]) -> TrainingCurves:
    """Arrays of what the recordings measured; decays are the epochs after which the learning rate falls."""

    def column(name: str) -> Float[ndarray, " recordings"]:
        return np.array([getattr(recording, name) for recording in recordings], dtype=np.float64)

    return TrainingCurves(
        recordings=np.array([recording.t for recording in recordings], dtype=np.int64),
        epochs=column("epoch"),
        lr=column("lr"),
        train_loss=column("train_loss"),
        test_loss=column("test_loss"),
        train_accuracy=column("train_accuracy"),
        test_accuracy=column("test_accuracy"),
        decays=decays,
    )


def training_curves(curves: TrainingCurves, look: Look, *, log_loss: bool = False, revision: str = "training") -> Chart:
    """Three charts above one another on a common axis of epochs; dashed lines are learning-rate decays."""
    if not len(curves.recordings):
        return empty("The curves begin with the first recording.", look, height=HEIGHT)
    figure = Chart.grid(3, 1, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.4, 0.4, 0.2])
    dress(figure, look, revision=revision, height=HEIGHT)
    mark = {**cursor(None, look), "name": "epoch"}
    figure.update_layout(showlegend=True, meta={"select": "epoch"}, shapes=[mark])
    figure.update_xaxes(title={"standoff": 8}, zeroline=False)
    figure.update_yaxes(title={"standoff": 8}, zeroline=False)
    hover = times(curves.recordings, curves.epochs.tolist())
    rows = (
        (1, "training loss", curves.train_loss, TRAIN, "solid"),
        (1, "test loss", curves.test_loss, TEST, "dash"),
        (2, "training accuracy", curves.train_accuracy, TRAIN, "solid"),
        (2, "test accuracy", curves.test_accuracy, TEST, "dash"),
    )
    for row, name, values, colour, dash in rows:
        unit = "%{y:.2%}" if row == 2 else "%{y:.4g}"
        figure.add_scatter(
            x=curves.epochs.tolist(),
            y=gaps(values),
            name=name,
            mode="lines+markers" if len(values) < 60 else "lines",
            marker={"size": 5},
            line={"color": colour, "dash": dash, "width": 2},
            text=hover,
            hovertemplate=f"{name}: {unit}<br>%{{text}}<extra></extra>",
            legendgroup=name.split()[0],
            showlegend=row != 1,
            row=row,
            col=1,
        )
    figure.data[2]["name"], figure.data[3]["name"] = "training images", "test images"
    _rates(figure, curves, hover)
    for decay in curves.decays:
        for row in (1, 2, 3):
            figure.add_vline(decay, row=row, line={"dash": "dash", "color": look.ink, "width": 1}, opacity=0.6)
    loss_axis = {"type": "log", "dtick": 1, "exponentformat": "power"} if log_loss else {"rangemode": "tozero"}
    figure.update_yaxes(title={"text": "loss (nats)"}, row=1, **loss_axis)
    figure.update_yaxes(title={"text": "accuracy"}, tickformat=".0%", minallowed=0, maxallowed=1, row=2)
    figure.update_xaxes(title={"text": ""})
    figure.update_xaxes(title={"text": "epoch"}, row=3)
    return figure


def rate_steps(curves: TrainingCurves) -> tuple[list[float], list[float]]:
    """Epochs and the rate up to each of them: a point per recording, and one at each decay that lies between two.

    A recording's rate is that of the last update before it. Of several decays between two recordings each is taken
    to fall by the same factor.
    """
    x, y = curves.epochs[:1].tolist(), curves.lr[:1].tolist()
    for n in range(1, len(curves.epochs)):
        before, after = curves.epochs[n - 1], curves.epochs[n]
        falls = [decay for decay in curves.decays if before <= decay < after]
        levels = np.geomspace(curves.lr[n - 1], curves.lr[n], len(falls) + 1).tolist() if falls else []
        inside = [(decay, level) for decay, level in zip(falls, levels, strict=False) if decay > before]
        x += [*(decay for decay, _ in inside), float(after)]
        y += [*(level for _, level in inside), float(curves.lr[n])]
    return x, y


def _rates(figure: Chart, curves: TrainingCurves, hover: Sequence[str]) -> None:
    """As steps that fall at the decays, on a logarithmic axis, for it falls by factors; without decays as a line."""
    x, y = rate_steps(curves)
    words = dict(zip(curves.epochs.tolist(), hover, strict=True))
    figure.add_scatter(
        x=x,
        y=y,
        name="learning rate",
        mode="lines+markers" if len(hover) < 60 else "lines",
        marker={"size": [5 if epoch in words else 0 for epoch in x], "line": {"width": 0}},
        line={"color": RATE, "width": 2, "shape": "vh" if curves.decays else "linear"},
        text=[words.get(epoch, f"epoch {epoch:g}: it falls") for epoch in x],
        hovertemplate="learning rate: %{y:.4g}<br>%{text}<extra></extra>",
        legendgroup="learning",
        row=3,
    )
    levels = sorted({float(f"{rate:.4g}") for rate in y})
    figure.update_yaxes(title={"text": "rate"}, row=3)
    if not (curves.decays and levels[0] < levels[-1]):
        figure.update_yaxes(rangemode="tozero", nticks=3, row=3)
    elif len(levels) <= MOST_LEVELS:
        figure.update_yaxes(type="log", tickvals=levels, ticktext=[f"{level:g}" for level in levels], row=3)
    else:
        figure.update_yaxes(type="log", dtick=1, row=3)
