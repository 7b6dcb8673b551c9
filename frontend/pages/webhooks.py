"""Webhooks of all runs or of one (`/webhooks?run=7`): add, test and remove them, and see what was delivered."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from backend.access import actor
from backend.db import read_scope, session_scope
from backend.errors import AppError
from backend.schemas import TokenScope
from backend.services import webhooks
from frontend.components import webhook_form
from frontend.components.icons import icon
from frontend.components.webhook_list import DELIVERIES, REMOVE, SHOWN, TEST, webhook_list
from frontend.pages.run import number

PATH_TEMPLATE = "/webhooks"
TITLE = "Webhooks"


def layout(run: str = "", **_query: str) -> Component:
    """Raises NotFound, Forbidden."""
    chosen = number(run, "run") if run else None
    content = _content(chosen, [])
    return html.Div(
        [
            dcc.Store(id="webhooks-run", data=chosen),
            dcc.Store(id="webhooks-open", data=[]),
            dcc.Store(id="webhooks-changed", data=0),
            dcc.Store(id="webhooks-removing"),
            dcc.Store(id="webhooks-shown", data=_mark(content)),
            dcc.Interval(id="webhooks-interval", interval=2000),
            _header(chosen),
            webhook_form.webhook_form(chosen),
            webhook_form.secret_place(),
            html.Div(content, id="webhooks-list"),
            _remove_dialog(),
        ],
        className="webhooks-page",
    )


def _header(run: int | None) -> Component:
    back = dmc.Anchor(f"← Run {run}", href=f"/runs/{run}", size="sm") if run else None
    # A page of its own: the router builds none anew where the query alone changes.
    everything = html.A("All webhooks", href="/webhooks", id="webhooks-all", className="webhooks-all") if run else None
    heard = "Webhooks for every run tell of this one as well."
    return html.Div(
        [
            back or dmc.Anchor("← Workers and queue", href="/workers", size="sm"),
            dmc.Group(
                [
                    dmc.Title(f"Webhooks of run {run}" if run else "Webhooks", order=1, size="h2"),
                    *([everything] if everything else []),
                ],
                gap="md",
                align="baseline",
            ),
            *([dmc.Text(heard, c="dimmed", size="sm")] if run and actor().scope is TokenScope.ADMIN else []),
        ]
    )


def _remove_dialog() -> Component:
    return dmc.Modal(
        [
            dmc.Text(id="webhooks-remove-text", className="webhook-url", mb="md"),
            dmc.Group(
                [
                    dmc.Button("Keep it", id="webhooks-remove-no", variant="default"),
                    dmc.Button("Remove", id="webhooks-remove-yes", color="red", leftSection=icon("trash")),
                ],
                justify="flex-end",
            ),
        ],
        id="webhooks-remove-dialog",
        title="Remove this webhook?",
        opened=False,
        closeButtonProps={"aria-label": "Close"},
    )


def register(dash_app: Dash) -> None:
    webhook_form.register(dash_app)
    _register_remove(dash_app)

    @dash_app.callback(
        Output("webhooks-list", "children"),
        Output("webhooks-shown", "data"),
        Input("webhooks-interval", "n_intervals"),
        Input("webhooks-open", "data"),
        Input("webhooks-changed", "data"),
        State("webhooks-run", "data"),
        State("webhooks-shown", "data"),
        prevent_initial_call=True,
    )
    async def show(_intervals: int | None, opened: list[int], _changed: int, run: int | None, shown: str) -> Any:
        content = await asyncio.to_thread(_content_or_why_not, run, opened)
        # Buttons that are put in anew would be asked about by Dash.
        return (no_update, no_update) if _mark(content) == shown else (content, _mark(content))

    @dash_app.callback(
        Output("webhooks-open", "data"),
        Input({"does": DELIVERIES, "webhook": ALL}, "n_clicks"),
        Input({"does": TEST, "webhook": ALL}, "n_clicks"),
        State("webhooks-open", "data"),
        prevent_initial_call=True,
    )
    async def act(_deliveries: list[int | None], _tests: list[int | None], opened: list[int]) -> list[int]:
        does, webhook_id = _clicked()
        others = [one for one in opened if one != webhook_id]
        if does == TEST:
            await asyncio.to_thread(_test, webhook_id)
        elif webhook_id in opened:
            return others
        return [*others, webhook_id]


def _register_remove(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("webhooks-remove-dialog", "opened"),
        Output("webhooks-remove-text", "children"),
        Output("webhooks-removing", "data"),
        Input({"does": REMOVE, "webhook": ALL}, "n_clicks"),
        Input("webhooks-remove-no", "n_clicks"),
        State("webhooks-run", "data"),
        prevent_initial_call=True,
    )
    async def ask(_clicks: list[int | None], _no: int | None, run: int | None) -> tuple[bool, Any, Any]:
        if ctx.triggered_id == "webhooks-remove-no":
            return False, no_update, None
        _, webhook_id = _clicked()
        return True, await asyncio.to_thread(_question, webhook_id, run), webhook_id

    @dash_app.callback(
        Output("webhooks-remove-dialog", "opened", allow_duplicate=True),
        Output("webhooks-changed", "data", allow_duplicate=True),
        Input("webhooks-remove-yes", "n_clicks"),
        State("webhooks-removing", "data"),
        State("webhooks-changed", "data"),
        prevent_initial_call=True,
    )
    async def remove(clicks: int | None, webhook_id: int | None, changed: int) -> tuple[bool, int]:
        if not clicks or webhook_id is None:
            raise PreventUpdate
        await asyncio.to_thread(_remove, webhook_id)
        return False, changed + 1


def _clicked() -> tuple[str, int]:
    """What the button that was clicked does, and to which webhook. Buttons that have just come are no click."""
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    return ctx.triggered_id["does"], ctx.triggered_id["webhook"]


def _test(webhook_id: int) -> None:
    with session_scope() as session:
        webhooks.send_test(session, webhook_id)


def _remove(webhook_id: int) -> None:
    with session_scope() as session:
        webhooks.delete(session, webhook_id)


def _question(webhook_id: int, run: int | None) -> str:
    with read_scope() as session:
        found = webhooks.list_webhooks(session, run)
    url = next((one.url for one in found if one.id == webhook_id), f"webhook {webhook_id}")
    return f"{url} will be told nothing more, not even what waits to be sent. Its log of deliveries goes too."


def _content(run: int | None, opened: Sequence[int]) -> list[Component]:
    """Raises NotFound, Forbidden."""
    with read_scope() as session:
        found = webhooks.list_webhooks(session, run)
        listed = [one.id for one in found if one.id in opened]
        return webhook_list(found, {one: webhooks.deliveries(session, one, SHOWN) for one in listed}, run)


def _content_or_why_not(run: int | None, opened: Sequence[int]) -> list[Component]:
    try:
        return _content(run, opened)
    except AppError as error:
        return [dmc.Text(error.detail, c="dimmed")]


def _mark(content: list[Component]) -> str:
    """The same for the same content."""
    return sha256(repr(content).encode()).hexdigest()
