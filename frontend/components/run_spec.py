"""Everything that a run was asked, behind a click, and its name, tags and notes to be changed there.

The page is built without it: what stands inside comes with the first click, as a hundred further components would
delay every visit. From then on it follows the store `run-standing` (components/facts.py).
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from backend import access
from backend.db import read_scope
from backend.schemas import RunOut
from backend.services import runs, workers
from frontend import run_edits, spec_form
from frontend.components.facts import Place
from frontend.components.icons import icon
from frontend.components.run_status import duration_text
from frontend.spec_form import Kind, SpecField

NOTHING = "–"


def run_spec() -> Component:
    return html.Details(
        [
            html.Summary("Specification", id="run-spec-summary"),
            html.Div(id="run-edit"),
            html.Div(id="run-fields", className="run-fields"),
        ],
        id="run-spec",
        className="explained run-spec",
    )


def register(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("run-edit", "children"),
        Output("run-fields", "children"),
        Input("run-spec-summary", "n_clicks"),
        Input("run-standing", "data"),
        State("place", "data"),
        prevent_initial_call=True,
    )
    async def show(clicks: int | None, _standing: str, place: Place) -> tuple[Any, Any]:
        """The form comes once: what somebody is typing stays."""
        if not clicks:
            raise PreventUpdate
        run, device = await asyncio.to_thread(_read, place["run"])
        first = ctx.triggered_id == "run-spec-summary" and clicks == 1
        return _edit_form(run) if first else no_update, _fields(run, device)

    @dash_app.callback(
        Output("run-edit-name", "error"),
        Output("run-edit-tags", "error"),
        Output("run-edit-notes", "error"),
        Output("run-edit-said", "children"),
        Output("run-tick", "data", allow_duplicate=True),
        Input("run-edit-save", "n_clicks"),
        State("run-edit-name", "value"),
        State("run-edit-tags", "value"),
        State("run-edit-notes", "value"),
        State("place", "data"),
        prevent_initial_call=True,
    )
    async def save(clicks: int | None, name: str, tags: list[str], notes: str, place: Place) -> tuple[Any, ...]:
        if not clicks:
            raise PreventUpdate
        wrong = await asyncio.to_thread(run_edits.edit, place["run"], name, tags, notes)
        errors = [wrong.get(field) for field in ("name", "tags", "notes")]
        return (*errors, "", no_update) if wrong else (*errors, "Saved", f"edited {clicks}")


def _read(run_id: int) -> tuple[RunOut, str | None]:
    """The run, and the device of its worker while that is known. Raises NotFound."""
    with read_scope() as session:
        run = runs.get_run(session, run_id)
        known = {worker.name: worker.device for worker in workers.list_workers(session)}
    return run, known.get(run.worker or "")


def _edit_form(run: RunOut) -> list[Component]:
    """Nothing for those who may not change the run."""
    if not access.may_change(run.submitted_by):
        return []
    inputs = [
        dmc.TextInput(id="run-edit-name", label="Name", value=run.name),
        dmc.TagsInput(
            id="run-edit-tags", label="Tags", value=list(run.tags), splitChars=[",", " "], acceptValueOnBlur=True
        ),
        dmc.Textarea(id="run-edit-notes", label="Notes", value=run.notes, autosize=True, minRows=1, maxRows=10),
    ]
    save = dmc.Button("Save", id="run-edit-save", leftSection=icon("check"), variant="default")
    said = html.Span(id="run-edit-said", role="status", className="dimmed")
    return [html.Div(inputs, className="run-edit"), dmc.Group([save, said], gap="sm", mt="xs")]


def _fields(run: RunOut, device: str | None) -> list[Component]:
    today = {"name": run.name, "tags": run.tags, "notes": run.notes}
    values = spec_form.values_of(run.spec.model_dump(mode="json") | today)
    groups = [
        _group(group.title, [(field.label, field.path, told(field, values[field.path])) for field in group.fields])
        for group in spec_form.groups()
    ]
    as_json = html.A("as JSON", href=f"/api/v1/runs/{run.id}", target="_blank", id="run-json")
    return [*groups, _group("What became of it", _course(run, device)), html.P(as_json, className="run-json")]


def told(field: SpecField, value: Any) -> str:
    """The value of a field in the words of the form."""
    labels: dict[str, str] = dict(field.options)
    if isinstance(value, list):
        return ", ".join(labels.get(one, str(one)) for one in value) or NOTHING
    if field.kind is Kind.SWITCH:
        return "yes" if value else "no"
    words = str(value).removesuffix(".0") if isinstance(value, float) else str(value)
    return labels.get(value, words) or NOTHING


Row = tuple[str, str, str | Component]
"""A label, the name that the filter and REST have for it, and the value."""


def _group(title: str, rows: Sequence[Row]) -> Component:
    entries = [part for label, name, value in rows for part in (html.Dt(label, title=name), html.Dd(value))]
    return html.Section([html.H2(title), html.Dl(entries)])


def _course(run: RunOut, device: str | None) -> list[Row]:
    took = ""
    if run.started_at and run.finished_at:
        took = duration_text((run.finished_at - run.started_at).total_seconds())
    lost = f", {run.lost_attempts} lost since the last retry" if run.lost_attempts else ""
    return [
        ("Worker", "worker", run.worker or NOTHING),
        ("Device of the worker", "device", device or NOTHING),
        ("Attempt", "attempt", f"{run.attempt}{lost}"),
        ("Submitted by", "submitted_by", run.submitted_by or NOTHING),
        ("Submitted", "created", _time(run.created_at)),
        ("Started", "started", _time(run.started_at)),
        ("Finished", "finished", _time(run.finished_at)),
        ("Took", "", took or NOTHING),
    ]


def _time(at: datetime | None) -> str | Component:
    return html.Time(f"{at:%Y-%m-%d %H:%M:%S} UTC", dateTime=at.isoformat()) if at else NOTHING
