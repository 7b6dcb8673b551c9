"""Submitting the form of a new run as a sweep: a line for each field that takes several values."""

import asyncio
import json
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component
from pydantic import ValidationError

from backend.db import session_scope
from backend.errors import FieldError, InvalidInput
from backend.estimate import bytes_stated
from backend.services import sweeps
from backend.sweeps import SweepSpec
from frontend import spec_form
from frontend.components.icons import icon


def sweep_form() -> Component:
    return dmc.Fieldset(
        [
            dmc.Textarea(
                id="sweep-over",
                label="Fields and their values",
                description="One field a line, by its name in the JSON. A run is made for each combination; the rest "
                "is as in the form.",
                placeholder="optimiser.lr = 0.01, 0.1\nseed = 0, 1, 2",
                autosize=True,
                minRows=2,
            ),
            dmc.Group(
                [
                    html.Div(id="sweep-summary", role="status", className="dimmed"),
                    dmc.Button("Submit the sweep", id="sweep-submit", variant="default", leftSection=icon("running")),
                ],
                justify="space-between",
                mt="sm",
            ),
        ],
        legend="Sweep over …",
        className="sweep-form",
    )


def register(dash_app: Dash) -> None:
    fields = spec_form.fields()

    @dash_app.callback(
        output=[Output("sweep-over", "error"), Output("sweep-summary", "children")],
        inputs={
            "over": Input("sweep-over", "value"),
            "values": {field.path: Input(field.widget_id, field.value_property) for field in fields},
        },
        prevent_initial_call=True,
    )
    async def show(over: str | None, values: dict[str, Any]) -> tuple[Any, Any]:
        return await asyncio.to_thread(planned, over or "", values)

    @dash_app.callback(
        output=[Output("url", "href", allow_duplicate=True), Output("sweep-over", "error", allow_duplicate=True)],
        inputs={
            "clicks": Input("sweep-submit", "n_clicks"),
            "over": State("sweep-over", "value"),
            "values": {field.path: State(field.widget_id, field.value_property) for field in fields},
        },
        prevent_initial_call=True,
        running=[(Output("sweep-submit", "loading"), True, False)],
    )
    async def submit(clicks: int | None, over: str | None, values: dict[str, Any]) -> tuple[Any, Any]:
        return await asyncio.to_thread(submitted, over or "", values) if clicks else (no_update, no_update)


def planned(over: str, values: dict[str, Any]) -> tuple[str | None, str]:
    """What is wrong with the sweep, and how many runs it would make and what they would store."""
    if not over.strip():
        return None, ""
    try:
        plan = sweeps.plan(sweep_of(over, values))
    except InvalidInput as error:
        return _said(error), ""
    size = "" if plan.total_bytes is None else f", about {bytes_stated(plan.total_bytes)}"
    return None, f"{len(plan.runs)} runs{size}"


def submitted(over: str, values: dict[str, Any]) -> tuple[Any, Any]:
    """The sweep's address, or what is wrong."""
    if not over.strip():
        return no_update, "name a field and its values, e.g. seed = 0, 1, 2"
    try:
        with session_scope() as session:
            return f"/sweeps/{sweeps.submit(session, sweep_of(over, values)).id}", None
    except InvalidInput as error:
        return no_update, _said(error)


def sweep_of(over: str, values: dict[str, Any]) -> SweepSpec:
    """The sweep that the lines and the form describe. Raises InvalidInput."""
    grid: dict[str, list[Any]] = {}
    for line in filter(None, map(str.strip, over.splitlines())):
        field, equals, listed = line.partition("=")
        if not equals or not field.strip():
            raise InvalidInput([FieldError("grid", line, f"{line!r} is not of the form field = value, value")])
        grid[field.strip()] = [_value(one.strip()) for one in listed.split(",")]
    try:
        return SweepSpec(base=spec_form.request_of(values), grid=grid)
    except ValidationError as error:
        found = [FieldError(".".join(map(str, one["loc"])), one["input"], one["msg"]) for one in error.errors()]
        raise InvalidInput(found) from error


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _said(error: InvalidInput) -> str:
    more = len(error.errors) - 3
    told = [f"{one.field.removeprefix('grid.')}: {one.message}" for one in error.errors[:3]]
    return "; ".join([*told, *([f"and {more} more"] if more > 0 else [])])
