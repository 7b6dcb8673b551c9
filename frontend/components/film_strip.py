"""The nearest neighbours of an image at each recording, as a strip of thumbnails: a column per recording."""

from typing import Any

import numpy as np
from dash import html
from dash.development.base_component import Component

from backend.series import Neighbours
from frontend.components.facts import Facts
from frontend.components.gallery import picture


def film_strip(data: Neighbours, facts: Facts, image: int) -> list[Component]:
    """One column per recording, rank 0 on top. A click selects recording and partner (`assets/selection.js`)."""
    label = facts["labels"][image]
    return [
        _column(t, nearest, facts, label, churn)
        for t, nearest, churn in zip(data.recordings.tolist(), data.nearest.tolist(), data.churn.tolist(), strict=True)
    ]


def _column(t: int, nearest: list[int], facts: Facts, label: int, churn: float) -> Component:
    fresh = "" if np.isnan(churn) else f", {churn:.0%} of the nearest are new"
    head = html.Button(str(t), **_data(f"recording {t}{fresh}", t=t), className="strip-head")
    known = [(rank, other) for rank, other in enumerate(nearest) if other >= 0]
    frames = [_frame(t, rank, other, facts, facts["labels"][other] == label) for rank, other in known]
    column: dict[str, Any] = {"data-column": str(t)}
    return html.Div([head, *frames], className="strip-column", **column)


def _frame(t: int, rank: int, other: int, facts: Facts, same: bool) -> Component:
    words = f"{facts['names'][other]}, rank {rank} at recording {t}" + (", same label" if same else "")
    image = picture(facts["run"], other, 44)
    return html.Button(image, className="frame same" if same else "frame", **_data(words, t=t, partner=other))


def _data(words: str, **selects: int) -> dict[str, Any]:
    return {"title": words, "aria-label": words, **{f"data-{name}": str(value) for name, value in selects.items()}}
