"""Which scripts a page loads before it stands: what no browser needs any more, or one page alone, is left out."""

from pathlib import Path

import dash_ag_grid
from dash import Dash, _dash_renderer, dcc

POLYFILL = "polyfill"
PLOTLY = "plotly-cartesian.min.js"


def leave_out() -> None:
    """Before Dash is set up; other apps of the process load as little.

    plotly.js comes from assets/, where its cartesian bundle lies: a third of the size, with all that we draw. Of the
    polyfill for browsers before 2017 components use one thing, which lies in assets/ too (regenerator.js).
    """
    dcc._js_dist[:] = [script for script in dcc._js_dist if script.get("namespace") != "plotly"]
    for needed in _dash_renderer._js_dist_dependencies:
        for places in (needed["relative_package_path"], needed["external_url"]):
            for mode, paths in places.items():
                places[mode] = [path for path in paths if POLYFILL not in path]
    _grid()["async"] = True


def load_later(dash_app: Dash, assets: Path) -> None:
    """Tell assets/later.js where plotly.js and the script of the table lie."""
    script = {name: value for name, value in _grid().items() if name != "async"}
    [grid] = dash_app._collect_and_register_resources([script])
    plotly = f"/assets/{PLOTLY}?m={(assets / PLOTLY).stat().st_mtime}"
    dash_app.config.meta_tags += [
        {"name": "grid-script", "content": grid},
        {"name": "plotly-script", "content": plotly},
    ]


def _grid() -> dict[str, object]:
    found: dict[str, object] = dash_ag_grid._js_dist[0]
    return found
