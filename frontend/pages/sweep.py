"""One sweep: its runs and how they stand, and a button that cancels all of them."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from backend.db import read_scope, session_scope
from backend.run_states import RunCommand
from backend.schemas import RunOut
from backend.services import run_list, sweeps
from backend.spec_fields import flat
from backend.sweeps import SweepOut
from frontend.components.icons import icon
from frontend.components.panel import attributes
from frontend.components.run_status import progress_text, status_text
from frontend.components.status import COLOURS
from frontend.live import Tick
from frontend.pages.run import number

PATH_TEMPLATE = "/sweeps/<sweep_id>"
TITLE = "Sweep {sweep_id}"


def layout(sweep_id: str, **_query: str) -> Component:
    """Raises NotFound."""
    found = number(sweep_id, "sweep")
    sweep, content, ended = _content(found)
    return html.Div(
        [
            dcc.Store(id="sweep-id", data=found),
            dmc.Group(
                [
                    html.Div(
                        [dmc.Anchor("← All runs", href="/", size="sm"), dmc.Title(sweep.name, order=1, size="h2")]
                    ),
                    dmc.Group(
                        [
                            _in_the_table(found),
                            _compared(found),
                            dmc.Button(
                                "Cancel all",
                                id="sweep-cancel",
                                leftSection=icon("stop"),
                                variant="default",
                                disabled=ended,
                            ),
                        ]
                    ),
                ],
                justify="space-between",
                align="flex-end",
                mb="sm",
            ),
            html.Div(content, id="sweep-content"),
        ],
        **attributes({"data-title": f"{sweep.name} · sweep {found}"}),
    )


def register(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("sweep-content", "children"),
        Output("sweep-cancel", "disabled"),
        Input("live", "data"),
        Input("sweep-cancel", "n_clicks"),
        State("sweep-id", "data"),
        prevent_initial_call=True,
    )
    async def show(_tick: Tick, _clicks: int | None, sweep_id: int) -> tuple[list[Component], bool]:
        _, content, ended = await asyncio.to_thread(_content, sweep_id)
        return content, ended

    @dash_app.callback(Input("sweep-cancel", "n_clicks"), State("sweep-id", "data"), prevent_initial_call=True)
    async def cancel(clicks: int | None, sweep_id: int) -> None:
        if not clicks:
            raise PreventUpdate
        await asyncio.to_thread(_cancel, sweep_id)


def _cancel(sweep_id: int) -> None:
    with session_scope() as session:
        sweeps.cancel(session, sweep_id)


def _in_the_table(sweep_id: int) -> Component:
    """There its runs are sorted, tagged and deleted."""
    return dmc.Anchor("Show in the table of runs", href=f"/?{_filter(sweep_id)}", id="sweep-filter", size="sm")


def _compared(sweep_id: int) -> Component:
    button = dmc.Button("Compare", leftSection=icon("search"), variant="default")
    return dmc.Anchor(button, href=f"/compare?{_filter(sweep_id)}", id="sweep-compare")


def _filter(sweep_id: int) -> str:
    return urlencode({"filter": f"sweep={sweep_id}"})


def _content(sweep_id: int) -> tuple[SweepOut, list[Component], bool]:
    """The sweep, how its runs stand, and whether there is nothing left to cancel."""
    with read_scope() as session:
        sweep = sweeps.get_sweep(session, sweep_id)
        found = run_list.runs_among(session, sweep.runs)[::-1]
    counts = " · ".join(f"{count} {status}" for status, count in sweep.counts.items())
    swept = list(sweep.request.axes)
    headings = ("Run", *swept, "Status", "Progress", "Training acc.", "Test acc.")
    head = dmc.TableThead(dmc.TableTr([dmc.TableTh(heading) for heading in headings]))
    rows = [_row(run, swept) for run in found]
    table = dmc.Table([head, dmc.TableTbody(rows)], verticalSpacing="xs", id="sweep-runs")
    said = counts or "its runs have been deleted"
    ended = not any(RunCommand.CANCEL in run.possible for run in found)
    content = [dmc.Text(f"{len(found)} runs: {said}", c="dimmed"), dmc.TableScrollContainer(table, minWidth=700)]
    return sweep, content, ended


def _row(run: RunOut, swept: list[str]) -> Component:
    status = status_text(run.status, run.cancel_requested, run.pause_requested)
    badge = dmc.Badge(status, color=COLOURS[run.status], variant="light", tt="none")
    return dmc.TableTr(
        [
            dmc.TableTd(dmc.Anchor(run.name, href=f"/runs/{run.id}", size="sm")),
            *(dmc.TableTd(_value(run, field)) for field in swept),
            dmc.TableTd(badge),
            dmc.TableTd(progress_text(run.status, run.progress)),
            dmc.TableTd(_share(run.last.train_accuracy if run.last else None)),
            dmc.TableTd(_share(run.last.test_accuracy if run.last else None)),
        ]
    )


def _value(run: RunOut, field: str) -> str:
    """What the run has in this field; of a group of fields, such as the whole optimiser, all that is in it."""
    fields = flat(run.spec)
    if field in fields:
        return str(fields[field])
    inside: dict[str, Any] = {
        name.removeprefix(f"{field}."): value for name, value in fields.items() if name.startswith(f"{field}.")
    }
    return json.dumps(inside, ensure_ascii=False)


def _share(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{accuracy:.1%}"
