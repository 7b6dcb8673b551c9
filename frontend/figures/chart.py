"""A figure as Plotly's JSON: traces and layout in plain dicts, with the few methods that figures need.

Plotly's graph objects check each property as it is set, which takes 15 to 300 ms a figure, and figures are drawn for
every click. So here nothing is checked; `graph_object` does it, in the tests for every figure, and for files.
"""

from base64 import b64encode
from copy import deepcopy
from functools import lru_cache
from typing import Any, Self

import numpy as np
import orjson
import plotly.graph_objects as go
from plotly.subplots import make_subplots

Properties = dict[str, Any]


class Chart:
    """Names and meanings are those of `plotly.graph_objects.Figure`; properties that are None are left out."""

    def __init__(self) -> None:
        self.data: list[Properties] = []
        self.layout: Properties = {"xaxis": {}, "yaxis": {}}
        self._columns = 1

    @classmethod
    def grid(cls, rows: int, columns: int, **options: Any) -> Self:
        """Several charts in rows and columns; options are those of `plotly.subplots.make_subplots`."""
        chart = cls()
        known = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        chart.layout = deepcopy(_grid(rows, columns, **known))
        chart._columns = columns
        return chart

    def add_scatter(self, *, row: int = 1, col: int = 1, **properties: Any) -> None:
        self.add_trace(scatter(**properties), row, col)

    def add_heatmap(self, *, row: int = 1, col: int = 1, **properties: Any) -> None:
        self.add_trace(heatmap(**properties), row, col)

    def add_bar(self, **properties: Any) -> None:
        self.add_trace({"type": "bar", **properties})

    def add_trace(self, trace: Properties, row: int = 1, col: int = 1) -> None:
        x, y = self.axes(row, col)
        place = {} if x == "x" else {"xaxis": x, "yaxis": y}
        self.data.append({name: value for name, value in (place | trace).items() if value is not None})

    def add_shapes(self, *shapes: Properties) -> None:
        self.layout["shapes"] = [*self.layout.get("shapes", ()), *shapes]

    def add_vline(self, x: float, *, row: int = 1, col: int = 1, **properties: Any) -> None:
        across, up = self.axes(row, col)
        ends = {"x0": x, "x1": x, "y0": 0, "y1": 1, "xref": across, "yref": f"{up} domain"}
        self.add_shapes({"type": "line", **ends, **properties})

    def add_annotation(self, **properties: Any) -> None:
        self.layout["annotations"] = [*self.layout.get("annotations", ()), properties]

    def update_annotations(self, **change: Any) -> None:
        for annotation in self.layout.get("annotations", ()):
            _merge(annotation, change)

    def update_layout(self, **change: Any) -> None:
        _merge(self.layout, change)

    def update_xaxes(self, *, row: int | None = None, col: int | None = None, **change: Any) -> None:
        self._update_axes("xaxis", row, col, change)

    def update_yaxes(self, *, row: int | None = None, col: int | None = None, **change: Any) -> None:
        self._update_axes("yaxis", row, col, change)

    def axes(self, row: int, col: int) -> tuple[str, str]:
        """What traces and shapes call the axes of a chart of the grid."""
        n = (row - 1) * self._columns + col
        suffix = "" if n == 1 else str(n)
        return f"x{suffix}", f"y{suffix}"

    def graph_object(self) -> go.Figure:
        """The same as Plotly's object. Raises ValueError where a property has a value that Plotly does not know."""
        return go.Figure(data=self.data, layout=self.layout)

    def to_json(self) -> bytes:
        """Raises TypeError where an array has a type that Plotly does not read."""
        return orjson.dumps({"data": self.data, "layout": self.layout}, default=_typed)

    def to_plotly_json(self) -> Properties:
        """As Dash asks its components for."""
        plain: Properties = orjson.loads(self.to_json())
        return plain

    def _update_axes(self, kind: str, row: int | None, col: int | None, change: Properties) -> None:
        for name in [name for name in self.layout if name.startswith(kind)]:
            n = int(name.removeprefix(kind) or 1) - 1
            if row in (None, n // self._columns + 1) and col in (None, n % self._columns + 1):
                _merge(self.layout[name], change)


def scatter(**properties: Any) -> Properties:
    return {"type": "scatter", **properties}


def heatmap(**properties: Any) -> Properties:
    return {"type": "heatmap", **properties}


@lru_cache(maxsize=100)
def _grid(rows: int, columns: int, **options: Any) -> Properties:
    layout: Properties = make_subplots(rows, columns, **options).layout.to_plotly_json()
    del layout["template"]
    return layout


def _merge(into: Properties, change: Properties) -> None:
    for name, value in change.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        elif value is not None:
            into[name] = deepcopy(value) if isinstance(value, dict) else value  # axes must not share a title


def _typed(array: Any) -> Any:
    """Plotly's form of an array of numbers: its bytes, little-endian."""
    if not isinstance(array, np.ndarray) or array.dtype.str not in ("<f4", "<f8", "<i4", "<i2", "|u1"):
        raise TypeError(f"a figure cannot hold {getattr(array, 'dtype', type(array))}")
    kind = array.dtype.str[1:]
    typed = {"dtype": kind, "bdata": b64encode(array.tobytes()).decode()}
    return typed if array.ndim == 1 else {**typed, "shape": ", ".join(str(size) for size in array.shape)}
