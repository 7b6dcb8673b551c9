"""Figures as files: pictures, pages that stand alone, and the numbers behind them."""

import csv
import io
import math
from html import escape
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple

import numpy as np
import orjson

from backend.errors import Unavailable
from frontend.figures.chart import Chart
from frontend.figures.look import Look
from frontend.views.view import Scene, Table, View

Picture = Literal["png", "svg"]

PLOTLY_JS = Path(__file__).parent.parent / "assets" / "plotly-cartesian.min.js"
RENDER_SECONDS = 60


class Caption(NamedTuple):
    """What stands above and below a figure that stands alone."""

    title: str
    shows: str
    definition: str
    section: str


_one_browser = Lock()
"""Each picture starts a browser of its own; several at once would leave the server no room."""


def json_of(table: Table, most: int | None) -> bytes:
    """Columns, at most so many rows, and how many there are; an undefined number is null."""
    rows = rows_of(table)
    return orjson.dumps({"columns": list(table), "rows": rows[:most], "total": len(rows)})


def csv_of(table: Table) -> str:
    """With a header; an undefined number is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows([_blank(value) for value in row] for row in rows_of(table))
    return text.getvalue()


def parquet_of(table: Table) -> bytes:
    """An undefined number is null."""
    import pyarrow
    from pyarrow import parquet

    columns = {name: pyarrow.array(np.asarray(values), from_pandas=True) for name, values in table.items()}
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def rows_of(table: Table) -> list[tuple[Any, ...]]:
    """Plain Python values, row by row."""
    columns = [values.tolist() if isinstance(values, np.ndarray) else list(values) for values in table.values()]
    return list(zip(*columns, strict=True))


def html_of(figure: Chart, caption: Caption, look: Look) -> str:
    """One file that needs no server, with the explanation below the figure."""
    chart = titled(figure, caption, look).graph_object().to_html(full_html=False, include_plotlyjs=False)
    script = PLOTLY_JS.read_text(encoding="utf-8").replace("</script", "<\\/script")
    title = escape(caption.title)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f"<script>{script}</script></head>\n"
        f'<body style="font-family: sans-serif; background: {look.paper}; color: {look.ink}">\n'
        f"{chart}\n<p>{escape(caption.shows)}</p><p>{escape(caption.definition)}</p><p>{escape(caption.section)}</p>\n"
        "</body></html>\n"
    )


def picture_of(
    figure: Chart, caption: Caption, look: Look, kind: Picture, width: int = 900, height: int | None = None
) -> bytes:
    """Drawn by a Chromium on the server's machine. Raises Unavailable where there is none, or where it fails."""
    import kaleido
    from choreographer.errors import BrowserFailedError, ChromeNotFoundError

    options = {
        "format": kind,
        "width": width,
        "height": height or figure.layout["height"],
        "scale": 2 if kind == "png" else 1,
    }
    plotted = titled(figure, caption, look).graph_object()
    browser = {"plotlyjs": PLOTLY_JS, "mathjax": False, "timeout": RENDER_SECONDS}
    with _one_browser:
        try:
            drawn: bytes = kaleido.calc_fig_sync(plotted, opts=options, kopts=browser)
        except ChromeNotFoundError as error:
            raise Unavailable(
                f"{kind} pictures are drawn by a Chromium on the server's machine, and there is none: install it (on "
                "Debian or Ubuntu: apt-get install chromium) or name it in BROWSER_PATH. csv, parquet, html and json "
                "need none"
            ) from error
        except (BrowserFailedError, TimeoutError) as error:
            raise Unavailable(f"the server's Chromium did not draw the {kind} picture: {error}") from error
    return drawn


def titled(figure: Chart, caption: Caption, look: Look) -> Chart:
    """The figure as it stands alone: with title and background, and a legend of what a page lists beside it."""
    if figure.layout.get("meta", {}).get("followed"):
        figure.update_layout(showlegend=True)
    said = figure.layout.get("title", {}).get("text")
    text = escape(caption.title) + (f"<br><sub>{said}</sub>" if said else "")
    above = 20 if said else 0
    figure.update_layout(
        title={
            "text": text,
            "font": {"size": 15},
            "x": 0.01,
            "xref": "container",
            "y": 0.96 if said else 0.985,
            "yanchor": "top",
        },
        paper_bgcolor=look.paper,
        margin={"t": above + (64 if figure.layout["showlegend"] or figure.layout.get("annotations") else 44)},
    )
    return figure


def caption_of(view: View, scene: Scene) -> Caption:
    """Its title says what was chosen: "Cross-path similarity · run 3, layer 4, path"."""
    chosen = scene.chosen
    words = [f"run {scene.run}"]
    words += [f"layer {chosen.layer}"] if chosen.layer is not None else []
    words += [str(chosen.quantity)] if chosen.quantity is not None else []
    words += [f"image {chosen.image}"] if chosen.image is not None else []
    words += [f"with image {chosen.partner}"] if chosen.partner is not None else []
    words += [chosen.measure.replace("_", "-")] if chosen.measure is not None else []
    words += [f"recording {chosen.recording}"] if chosen.recording is not None else []
    return Caption(f"{view.title} · {', '.join(words)}", view.shows, view.definition, view.section)


def _blank(value: object) -> object:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value
