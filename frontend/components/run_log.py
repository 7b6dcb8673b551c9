"""What a run's trainer prints, as it prints it: assets/run_log.js asks for new lines while the log is open."""

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from backend.schemas import RunOut, RunStatus
from frontend.components.icons import icon


def run_log(run: RunOut) -> Component:
    """The log behind a click, with a search and the choice to stay at its end; open where the run has failed."""
    data: dict[str, Any] = {"data-run": str(run.id)}
    return html.Details(
        [
            html.Summary("Log of the trainer"),
            dmc.Group(
                [
                    dmc.TextInput(
                        id="run-log-search",
                        placeholder="Only lines that hold …",
                        leftSection=icon("search"),
                        size="xs",
                        w=260,
                        **{"aria-label": "Search the log"},
                    ),
                    dmc.Checkbox(id="run-log-follow", label="Follow", checked=True, size="xs"),
                    html.Span(id="run-log-count", className="dimmed", role="status"),
                ],
                gap="md",
                my="xs",
            ),
            html.Pre(id="run-log", className="log", tabIndex=0),
        ],
        open=run.status is RunStatus.FAILED,
        id="run-log-details",
        className="explained",
        **data,
    )
