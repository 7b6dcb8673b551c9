"""Draws the growth of one result as docs/images/cost.png: python -m benchmarks.plot benchmarks/results/<file>.json.

It needs a Chromium that Playwright finds, or the path of one in CHROMIUM.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright

IMAGE = Path(__file__).parent.parent / "docs" / "images" / "cost.png"
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2")


def figure(growth: dict) -> go.Figure:
    drawn = go.Figure()
    for units, colour in zip(sorted({row["units"] for row in growth["rows"]}), COLOURS, strict=False):
        rows = [row for row in growth["rows"] if row["units"] == units]
        images = [row["images"] for row in rows]
        line = {"color": colour}
        drawn.add_scatter(x=images, y=[row["seconds"] for row in rows], name=f"{units:,} units", line=line)
        model = [row["model_seconds"] for row in rows]
        drawn.add_scatter(x=images, y=model, name=f"{units:,}, model", line=line | {"dash": "dot"}, mode="lines")
    drawn.update_xaxes(type="log", title="probe images", tickvals=sorted({row["images"] for row in growth["rows"]}))
    drawn.update_yaxes(type="log", title="seconds per layer and recording", exponentformat="power", dtick=1)
    return drawn.update_layout(template="simple_white", width=900, height=480, margin={"t": 20})


def main() -> None:
    growth = json.loads(Path(sys.argv[1]).read_text())["growth"]
    page_text = figure(growth).to_html(include_plotlyjs=True, config={"staticPlot": True})
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 920, "height": 500})
        page.set_content(page_text)
        page.wait_for_selector(".main-svg")
        page.locator(".plotly-graph-div").screenshot(path=IMAGE)
        browser.close()


if __name__ == "__main__":
    main()
