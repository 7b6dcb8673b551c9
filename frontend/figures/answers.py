"""What the net says of one image over training: its loss, and the class that it takes the image for."""

from collections.abc import Mapping, Sequence

from backend.series import Answers
from frontend.figures.chart import Chart, Properties, scatter
from frontend.figures.look import FEW, Look, cursor, dress, empty, gaps, times

HEIGHT = 380
RIGHT, WRONG = "#0b9c7c", "#d9480f"


def answers_over_training(
    data: Answers, classes: Mapping[int, str], epochs: Sequence[float], look: Look, *, revision: str
) -> Chart:
    """Above the loss, below the predicted class; a circle where it is right, a cross where it is wrong.

    Classes stand in the order of their numbers, the image's own in bold.
    """
    if not len(data.recordings):
        return empty("This run began before answers were stored.", look, HEIGHT)
    figure = Chart.grid(2, 1, shared_xaxes=True, vertical_spacing=0.08, row_heights=[0.5, 0.5])
    dress(figure, look, revision=revision, height=HEIGHT)
    x, hover = data.recordings.tolist(), times(data.recordings, epochs)
    figure.add_trace(_losses(data, x, hover, look), row=1, col=1)
    figure.add_trace(_verdicts(data, x, hover, classes), row=2, col=1)
    label = int(data.labels[0])
    seen = sorted({label, *data.predicted[:, 0].tolist()}, key=lambda one: (one < 0, one))
    order = [class_name(one, classes) for one in seen]
    words = [f"<b>{name}</b>" if one == label else name for one, name in zip(seen, order, strict=True)]
    figure.update_layout(
        meta={"select": "t"},
        shapes=[{**cursor(None, look), "xref": "x", "yref": "paper"}],
        hovermode="closest",
    )
    figure.update_xaxes(zeroline=False, tickformat="d", dtick=1 if len(x) <= FEW else None)
    figure.update_xaxes(title={"text": "recording t", "standoff": 8}, row=2)
    figure.update_yaxes(title={"text": "loss (nats)", "standoff": 8}, row=1, rangemode="tozero", zeroline=False)
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=order, row=2, range=[len(order) - 0.4, -0.6]
    )
    if len(order) <= FEW:
        figure.update_yaxes(tickvals=order, ticktext=words, row=2)
    return figure


def _losses(data: Answers, x: list[int], hover: Sequence[str], look: Look) -> Properties:
    return scatter(
        x=x,
        y=gaps(data.loss[:, 0]),
        mode="lines+markers",
        name="loss",
        line={"color": look.ink, "width": 2},
        marker={"size": 5},
        text=hover,
        hovertemplate="loss %{y:.4f}<br>%{text}<extra></extra>",
    )


def _verdicts(data: Answers, x: list[int], hover: Sequence[str], classes: Mapping[int, str]) -> Properties:
    shown, right = [class_name(one, classes) for one in data.predicted[:, 0].tolist()], data.right[:, 0]
    return scatter(
        x=x,
        y=shown,
        mode="lines+markers",
        name="predicted class",
        line={"color": "#868e96", "width": 1, "shape": "hv"},
        marker={
            "size": 10,
            "color": [RIGHT if one else WRONG for one in right],
            "symbol": ["circle" if one else "x" for one in right],
        },
        text=[f"{'right' if one else 'wrong'}<br>{time}" for one, time in zip(right, hover, strict=True)],
        hovertemplate="%{y}, %{text}<extra></extra>",
    )


def class_name(label: int, classes: Mapping[int, str]) -> str:
    """What the class is called; "undefined" for -1."""
    return "undefined" if label < 0 else classes.get(label, f"class {label}")
