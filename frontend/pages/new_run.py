"""The form of a new run, generated from RunSpec, beside the REST request that it stands for."""

import asyncio
import json
import shlex
from typing import Any
from urllib.parse import urlsplit

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from backend import catalogue
from backend.access import actor
from backend.errors import NotFound
from backend.estimate import run_size, size_stated
from frontend import run_rows, spec_form
from frontend.components import sweep_form as sweep_forms
from frontend.components.icons import icon
from frontend.components.spec_widgets import is_wide, widget
from frontend.presets import Preset, presets

PATH_TEMPLATE = "/new"
TITLE = "New run"

_START = {"net": "alexnet", "dataset": "digits"}


def layout(clone: str = "", **_query: str) -> Component:
    """The form with defaults, or with everything as in the run `clone`. Raises NotFound for an unknown run."""
    request = _START
    if clone:
        if not (clone.isascii() and clone.isdigit() and len(clone) < 19):
            raise NotFound(f"there is no run {clone[:40]!r} to clone")
        request = run_rows.spec_of(int(clone)).model_dump(mode="json")
    values = spec_form.values_of(request)
    return html.Div(
        [
            dmc.Title(f"New run, as run {clone}" if clone else "New run", order=1, size="h2", mb="sm"),
            _presets(),
            html.Div([_form(values), _side()], className="spec-page"),
            sweep_forms.sweep_form(),
        ]
    )


def _presets() -> Component:
    buttons = [_preset_button(preset) for preset in presets(catalogue.catalogue().datasets)]
    return html.Div([html.Span("Start from", className="dimmed"), *buttons], className="spec-presets")


def _preset_button(preset: Preset) -> Component:
    missing = "needs a dataset whose name holds cifar10"
    return html.Button(
        [html.Strong(preset.label), html.Span(preset.help if preset.request else missing)],
        id=f"preset-{preset.key}",
        className="preset",
        disabled=preset.request is None,
        type="button",
    )


def _form(values: spec_form.Values) -> Component:
    return html.Div([_group(group, values) for group in spec_form.groups()], id="spec-form", className="spec-form")


def _group(group: spec_form.Group, values: spec_form.Values) -> Component:
    cells = [
        html.Div(widget(field, values[field.path]), className="spec-cell spec-wide" if is_wide(field) else "spec-cell")
        for field in group.fields
    ]
    return dmc.Fieldset(html.Div(cells, className="spec-grid"), legend=group.title)


def _side() -> Component:
    return html.Aside(
        [
            dmc.Button("Submit", id="spec-submit", size="md", fullWidth=True, leftSection=icon("running")),
            html.Div(id="spec-summary", role="status", className="dimmed"),
            _code("The same as JSON", "spec-json", "spec-json-copy"),
            _code("The same from a shell", "spec-curl", "spec-curl-copy"),
            dcc.Link(
                "What the fields mean: the API's description", href="/api/docs", target="_blank", className="dimmed"
            ),
        ],
        className="spec-side",
    )


def _code(title: str, code_id: str, copy_id: str) -> Component:
    return html.Section(
        [
            dmc.Group(
                [
                    html.H2(title, className="spec-code-title"),
                    dmc.CopyButton(
                        "Copy", id=copy_id, value="", copiedChildren="Copied", size="compact-xs", variant="light"
                    ),
                ],
                justify="space-between",
            ),
            dmc.Code("", id=code_id, block=True, className="spec-code"),
        ]
    )


def register(dash_app: Dash) -> None:
    """Presets fill the form; each change checks it and shows its request; Submit sends it."""
    sweep_forms.register(dash_app)
    fields = spec_form.fields()

    @dash_app.callback(
        [Output(field.widget_id, field.value_property) for field in fields],
        [Input(f"preset-{preset.key}", "n_clicks") for preset in presets([])],
        prevent_initial_call=True,
    )
    async def fill(*_clicks: int) -> list[Any]:
        return await asyncio.to_thread(_preset_values, str(ctx.triggered_id))

    @dash_app.callback(
        output=[
            {field.path: Output(field.widget_id, "error") for field in fields},
            Output("spec-json", "children"),
            Output("spec-json-copy", "value"),
            Output("spec-curl", "children"),
            Output("spec-curl-copy", "value"),
            Output("spec-summary", "children"),
            {field.path: Output(field.widget_id, "disabled") for field in fields if field.path in spec_form.ONLY_WITH},
        ],
        inputs={
            "values": {field.path: Input(field.widget_id, field.value_property) for field in fields},
            "href": State("url", "href"),
        },
    )
    async def show(values: dict[str, Any], href: str) -> tuple[Any, ...]:
        return await asyncio.to_thread(_shown, values, href)

    @dash_app.callback(
        output=[Output("url", "href"), Output("spec-summary", "children", allow_duplicate=True)],
        inputs={
            "clicks": Input("spec-submit", "n_clicks"),
            "values": {field.path: State(field.widget_id, field.value_property) for field in fields},
        },
        prevent_initial_call=True,
        running=[(Output("spec-submit", "loading"), True, False)],
    )
    async def submit(clicks: int | None, values: dict[str, Any]) -> tuple[Any, Any]:
        return await asyncio.to_thread(_submitted, values) if clicks else (no_update, no_update)

    dash_app.clientside_callback(
        ClientsideFunction("shell", "focusFirstError"),
        Input("spec-summary", "children"),
        State("spec-submit", "n_clicks"),
        prevent_initial_call=True,
    )


def _preset_values(button_id: str) -> list[Any]:
    """What the widgets shall show for the preset of this button; tags, name and notes are left as they are."""
    offered = {f"preset-{preset.key}": preset.request for preset in presets(catalogue.catalogue().datasets)}
    values = spec_form.values_of(offered[button_id] or _START)
    kept = ("name", "tags", "notes")
    return [no_update if field.path in kept else values[field.path] for field in spec_form.fields()]


def _shown(values: dict[str, Any], href: str) -> tuple[Any, ...]:
    request = spec_form.request_of(values)
    spec, errors = spec_form.check(request)
    address = urlsplit(href)
    pretty = json.dumps(request, indent=2, ensure_ascii=False)
    curl = curl_command(f"{address.scheme}://{address.netloc}", request)
    messages = {path: errors.get(path) for path in values}
    summary = size_stated(run_size(spec)) if spec else _summary(errors, refused=False)
    unused = {path: not spec_form.matters(path, values) for path in spec_form.ONLY_WITH}
    return messages, pretty, pretty, curl, curl, summary, unused


def curl_command(server: str, request: dict[str, Any]) -> str:
    """What a shell would have to send."""
    body = shlex.quote(json.dumps(request, ensure_ascii=False))
    token = '  -H "Authorization: Bearer $PATHSCOPE_TOKEN" \\\n' if actor().token else ""
    return f"curl -X POST {server}/api/v1/runs \\\n{token}  -H 'Content-Type: application/json' \\\n  -d {body}"


def _submitted(values: dict[str, Any]) -> tuple[Any, Any]:
    """The new run's address, or what is wrong."""
    spec, errors = spec_form.check(spec_form.request_of(values))
    if spec is None:
        return no_update, _summary(errors, refused=True)
    return f"/runs/{run_rows.submit(spec)}", no_update


def _summary(errors: dict[str, str], *, refused: bool) -> Any:
    if not errors:
        return ""
    count = "1 field needs" if len(errors) == 1 else f"{len(errors)} fields need"
    told = [f"{count} another value."] + ([errors[""]] if "" in errors else [])
    return html.Span([icon("warning"), " ", " ".join(told)], className="spec-refused" if refused else "spec-warned")
