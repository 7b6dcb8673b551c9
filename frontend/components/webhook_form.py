"""The form that adds a webhook, and the secret that is shown once it has."""

import asyncio
import re
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from pydantic import ValidationError

from backend.access import actor
from backend.db import session_scope
from backend.errors import Forbidden, InvalidInput, NotFound
from backend.schemas import TokenScope
from backend.services import webhooks
from backend.services.webhooks import WebhookIn, WebhookMade
from frontend.components.icons import icon

Wrong = dict[str, str]
"""What is wrong, by field."""


def webhook_form(run: int | None) -> Component:
    """Filled with this run."""
    may_all = actor().scope is TokenScope.ADMIN
    return dmc.Fieldset(
        [
            dmc.TextInput(
                id="webhook-url",
                label="Address",
                description="Gets a POST when a run completes, fails or is cancelled.",
                placeholder="https://example.org/hook",
                inputProps={"inputMode": "url", "spellCheck": False},
                autoComplete="off",
                debounce=True,  # so that Enter comes with what was typed, not a moment before it
            ),
            dmc.TextInput(
                id="webhook-run",
                label="Run",
                description="The number of one run; empty: every run." if may_all else "The number of a run of yours.",
                placeholder="every run" if may_all else None,
                value="" if run is None else str(run),
                inputProps={"inputMode": "numeric"},
                autoComplete="off",
                debounce=True,
            ),
            dmc.Button("Add webhook", id="webhook-add", leftSection=icon("plus")),
        ],
        legend="Add a webhook",
        className="webhook-form",
        id="webhook-form",
    )


def secret_place() -> Component:
    return html.Div(id="webhook-secret", role="status")


def register(dash_app: Dash) -> None:
    """Adding one counts `webhooks-changed` up; what is wrong is said at its field, and stays as it was typed."""

    @dash_app.callback(
        Output("webhook-url", "error"),
        Output("webhook-run", "error"),
        Output("webhook-url", "value"),
        Output("webhook-secret", "children"),
        Output("webhooks-changed", "data"),
        Input("webhook-add", "n_clicks"),
        Input("webhook-url", "n_submit"),
        Input("webhook-run", "n_submit"),
        State("webhook-url", "value"),
        State("webhook-run", "value"),
        State("webhooks-changed", "data"),
        prevent_initial_call=True,
        running=[(Output("webhook-add", "loading"), True, False)],
    )
    async def add(
        clicks: int | None, sent: int | None, sent_too: int | None, url: str | None, run: str | None, changed: int
    ) -> tuple[Any, ...]:
        if not (clicks or sent or sent_too):
            raise PreventUpdate
        made, wrong = await asyncio.to_thread(added, url or "", run or "")
        if made is None:
            return wrong.get("url"), wrong.get("run"), no_update, no_update, no_update
        return None, None, "", _secret(made), changed + 1

    dash_app.clientside_callback(
        ClientsideFunction("webhooks", "focusWrong"),
        Input("webhook-url", "error"),
        Input("webhook-run", "error"),
        prevent_initial_call=True,
    )


def added(url: str, run: str) -> tuple[WebhookMade | None, Wrong]:
    """The new webhook, or what forbids it."""
    if not url.strip():
        return None, {"url": "enter an address such as https://example.org/hook"}
    if not re.fullmatch("[1-9][0-9]{0,14}|", run.strip(), re.ASCII):
        return None, {"run": f"enter the number of a run, found {run.strip()[:20]!r}"}
    try:
        asked = WebhookIn(url=url.strip(), run=int(run) if run.strip() else None)
        with session_scope() as session:
            return webhooks.create(session, asked), {}
    except ValidationError as error:
        return None, {str(one["loc"][0]): one["msg"] for one in error.errors()}
    except InvalidInput as error:
        return None, {one.field: one.message for one in error.errors}
    except (NotFound, Forbidden) as error:
        return None, {"run": error.detail}


def _secret(made: WebhookMade) -> Component:
    copy = dmc.CopyButton("Copy", value=made.secret, copiedChildren="Copied", size="compact-sm", variant="default")
    return dmc.Alert(
        [
            dmc.Text(
                "Its messages are signed with this secret. Copy it now: it is never shown again.", size="sm", mb="xs"
            ),
            dmc.Group([html.Code(made.secret, id="webhook-secret-value", className="webhook-url"), copy], gap="sm"),
        ],
        title=f"Webhook {made.id} is added",
        color="teal",
        variant="light",
        icon=icon("check"),
        withCloseButton=True,
        closeButtonLabel="Put the secret away",
    )
