"""How pages hear of news, and whether anybody works.

assets/live.js holds the WebSocket /api/v1/live and puts each tick into the store `live`:
{"runs": [ids with news in the last two seconds] or None (anything may have changed), "n": a counter}. Ids are
repeated for two seconds because Dash runs a callback only for the newest of several quick changes. The first tick has
what has changed since the page was made.
"""

import asyncio
from typing import TypedDict

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State
from dash.development.base_component import Component

from backend.db import read_scope
from backend.machines import WorkerOut
from backend.services import workers
from frontend.components.icons import icon


class Tick(TypedDict):
    runs: list[int] | None
    n: int


def concerns(tick: Tick | None, run_id: int) -> bool:
    """Whether the tick may tell of news of this run."""
    return tick is None or tick["runs"] is None or run_id in tick["runs"]


def register(dash_app: Dash) -> None:
    """The callbacks of the shell: colour scheme and the number of workers."""
    dash_app.clientside_callback(
        ClientsideFunction("shell", "theme"),
        Output("theme", "data"),
        Output("mantine", "forceColorScheme"),
        Input("theme-switch", "n_clicks"),
        State("theme", "data"),
    )

    dash_app.clientside_callback(ClientsideFunction("ended", "tick"), Input("live", "data"), prevent_initial_call=True)

    @dash_app.callback(Output("worker-badge", "children"), Input("worker-interval", "n_intervals"))
    async def show_workers(_intervals: int | None) -> Component:
        return worker_badge(await asyncio.to_thread(_workers))


def _workers() -> list[WorkerOut]:
    with read_scope() as session:
        return workers.list_workers(session)


def worker_badge(found: list[WorkerOut]) -> Component:
    """How many workers live; without any, that queued runs will wait."""
    alive = [worker for worker in found if worker.alive]
    if not alive:
        badge = dmc.Badge(
            "No worker is running",
            color="orange",
            variant="light",
            tt="none",
            size="lg",
            leftSection=icon("warning", size=13),
        )
        return dmc.Tooltip(badge, label="Queued runs wait until one starts: pathscope worker", withArrow=True)
    text = "1 worker" if len(alive) == 1 else f"{len(alive)} workers"
    badge = dmc.Badge(text, color="teal", variant="light", tt="none", size="lg", leftSection=icon("check", size=13))
    return dmc.Tooltip(badge, label=", ".join(f"{worker.name} ({worker.device})" for worker in alive), withArrow=True)
