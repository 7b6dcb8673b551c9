"""Who is near one image over training: ranks as a bump chart, and how close they are (Sec. 8, Fig. 6)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from backend.schemas import Quantity
from backend.series import Neighbours
from frontend.figures.chart import Chart
from frontend.figures.look import SYMBOLS, Look, base, empty, gaps, times


class Followed(NamedTuple):
    """The nearest images at one recording, in order, followed over all recordings. NaN: no rank, not comparable."""

    images: tuple[int, ...]
    ranks: Float[ndarray, "images recordings"]
    closeness: Float[ndarray, "images recordings"]


def follow(data: Neighbours, t: int | None) -> Followed:
    """The nearest at recording t (the newest where t is None or was not made) followed through training."""
    if not len(data.recordings):
        nothing = np.empty((0, 0))
        return Followed((), nothing, nothing)
    made = np.flatnonzero(data.recordings == t)
    nearest = data.nearest[made[0] if len(made) else -1]
    images = nearest[nearest >= 0]
    ranks = data.ranks[:, images].T.astype(np.float64)
    return Followed(tuple(images.tolist()), np.where(ranks < 0, np.nan, ranks), data.closeness[:, images].T)


def ranks_over_training(
    data: Neighbours, names: Sequence[str], epochs: Sequence[float], look: Look, *, revision: str, t: int | None = None
) -> Chart:
    """A line per image that is among the nearest at recording t; rank 0, the nearest, on top, far ranks closer up."""
    followed = follow(data, t)
    if not followed.images:
        return empty("No other image shares a unit with this one yet.", look, height=380)
    figure = base(
        "neighbour rank (0 is the nearest)",
        look,
        revision=revision,
        t=t,
        height=380,
        recordings=len(data.recordings),
    )
    # Ranks start at 0, which a logarithmic axis cannot hold: it shows rank + 1 and is labelled with the rank.
    _lines(figure, followed, followed.ranks + 1, "rank %{customdata}", data, names, epochs, look)
    for trace, ranks in zip(figure.data, followed.ranks, strict=True):
        trace["customdata"] = gaps(ranks)
    worst = data.ranks.shape[1] - 1
    ticks = [rank for rank in (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if rank <= worst]
    figure.update_yaxes(
        type="log",
        tickvals=[rank + 1 for rank in ticks],
        ticktext=[str(rank) for rank in ticks],
        range=[float(np.log10(worst + 1.5)), float(np.log10(0.85))],
    )
    return figure


def closeness_over_training(
    data: Neighbours,
    names: Sequence[str],
    epochs: Sequence[float],
    look: Look,
    *,
    log: bool = False,
    revision: str,
    t: int | None = None,
) -> Chart:
    """How close the nearest at recording t are throughout: units shared, or the cosine of activations."""
    followed = follow(data, t)
    if not followed.images:
        return empty("No other image shares a unit with this one yet.", look)
    overlap = look.quantity is Quantity.PATH
    title = "units shared (path overlap)" if overlap else "cosine of activations"
    figure = base(title, look, revision=revision, t=t, height=380, recordings=len(data.recordings))
    value = "%{y:,} units shared" if overlap else "cosine %{y:.4f}"
    _lines(figure, followed, followed.closeness, value, data, names, epochs, look)
    if log:
        figure.update_yaxes(type="log", dtick="D2", tickformat=",~r")
    return figure


def _lines(
    figure: Chart,
    followed: Followed,
    values: Float[ndarray, "images recordings"],
    value: str,
    data: Neighbours,
    names: Sequence[str],
    epochs: Sequence[float],
    look: Look,
) -> None:
    x, text = data.recordings.tolist(), times(data.recordings, epochs)
    figure.update_layout(meta={"select": "t", "followed": list(followed.images)})
    for n, (image, colour) in enumerate(zip(followed.images, look.rank_colours(len(followed.images)), strict=True)):
        figure.add_scatter(
            x=x,
            y=gaps(values[n]),
            name=names[image],
            meta={"partner": image},
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            marker={"symbol": SYMBOLS[n % len(SYMBOLS)], "size": 8},
            text=text,
            hovertemplate=f"<b>%{{fullData.name}}</b><br>{value}<br>%{{text}}<extra></extra>",
        )


def nearest_at(data: Neighbours, t: int | None) -> Int[ndarray, " count"]:
    """The nearest at recording t, or at the newest; empty where there are none."""
    return np.array(follow(data, t).images, dtype=np.int64)
