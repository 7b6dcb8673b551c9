"""Runs in one live table, a page at a time: filter, sort, take notes, tag, compare, cancel, delete, clone.

The address holds filter, sort and cursor (`?filter=net%3Dmlp&sort=-epochs`), so that a link is a saved filter.
"""

import asyncio
from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from backend.run_filter import FIELDS
from frontend import run_rows
from frontend.components.icons import icon
from frontend.components.runs_grid import runs_grid
from frontend.live import Tick

PATH_TEMPLATE = "/"
TITLE = "Runs"

_SAVED = (
    ("All", ""),
    ("Running", "status=running"),
    ("Waiting", "status=queued"),
    ("Completed", "status=completed"),
    ("Failed", "status=failed"),
)
_EXAMPLES = (
    ("net=resnet18,alexnet", "one of two nets"),
    ("epochs>=50 lr<0.1 seed=3", "any field of what was submitted; several conditions must all hold"),
    ("test_accuracy>90%", "at the newest recording"),
    ("tag:paper", "has the tag; tag!=paper has it not"),
    ("name~foo notes~layer", "contains, in capitals or not; !~ contains not"),
    ("status=failed created>=2026-11-01", "states and times"),
    ('foo "two words"', "alone: in name, net, dataset or a tag"),
)


def layout(**_query: str) -> Component:
    """The table; its rows come with the first callback, so that the page stands at once."""
    return html.Div(
        [
            dcc.Store(id="runs-news"),
            dcc.Store(id="runs-query"),
            dcc.Store(id="runs-tick"),
            dcc.Store(id="runs-again"),
            dcc.Store(id="runs-edited"),
            dmc.Group(
                [dmc.Title("Runs", order=1, size="h2"), html.Div(className="spacer"), _new_run_button("runs-new")],
                mb="sm",
            ),
            html.Div([_filter_bar(), _toolbar(), runs_grid(), _pager()], id="runs-table"),
            html.Div(_empty(), id="runs-empty", hidden=True),
            _delete_dialog(),
            _tag_dialog(),
        ]
    )


def _new_run_button(button_id: str) -> Component:
    return dmc.Anchor([icon("plus"), "New run"], href="/new", id=button_id, className="button-link", underline="never")


def _filter_bar() -> Component:
    saved = [
        html.A(label, href=f"/?{urlencode({'filter': text})}" if text else "/", className="saved-filter")
        for label, text in _SAVED
    ]
    examples = [
        html.Li([html.A(html.Code(text), href=f"/?{urlencode({'filter': text})}"), f" {meaning}"])
        for text, meaning in _EXAMPLES
    ]
    return html.Div(
        [
            dmc.TextInput(
                id="runs-search",
                placeholder="net=resnet18 epochs>=50 tag:paper test_accuracy>0.9 name~foo",
                leftSection=icon("search"),
                className="runs-search",
                debounce=400,
                **{"aria-label": "Filter the runs"},
            ),
            html.Nav(saved, className="saved-filters", title="Filters that are often asked for"),
            html.Details(
                [html.Summary("How to filter"), html.Ul(examples), html.P(f"Fields: {', '.join(sorted(FIELDS))}.")],
                className="explained",
            ),
        ],
        className="filter-bar",
    )


def _toolbar() -> Component:
    buttons = (
        ("compare", "Compare", "search"),
        ("tag", "Tag", "plus"),
        ("clone", "Clone", "copy"),
        ("cancel", "Cancel", "stop"),
        ("delete", "Delete", "trash"),
    )
    return dmc.Group(
        [
            *(
                dmc.Button(words, id=f"runs-{name}", leftSection=icon(picture), variant="default", disabled=True)
                for name, words, picture in buttons
            ),
            html.Span(id="runs-selection", className="dimmed", role="status"),
        ],
        gap="sm",
        mb="sm",
    )


def _pager() -> Component:
    return dmc.Group(
        [
            html.Span(id="runs-count", className="dimmed", role="status"),
            html.Div(className="spacer"),
            dmc.Button("Previous page", id="runs-previous", variant="default", disabled=True),
            dmc.Button("Next page", id="runs-next", variant="default", disabled=True),
        ],
        gap="sm",
        mt="sm",
    )


def _empty() -> Component:
    return dmc.Paper(
        dmc.Stack(
            [
                icon("logo", size=48),
                dmc.Title("No runs yet: submit one", order=2, size="h3"),
                dmc.Text(
                    "A run trains a net and records after each epoch which of its units each probe image switches on.",
                    c="dimmed",
                    ta="center",
                    maw=480,
                ),
                _new_run_button("runs-empty-new"),
            ],
            align="center",
            gap="sm",
        ),
        p="xl",
        withBorder=True,
    )


def _delete_dialog() -> Component:
    return dmc.Modal(
        [
            dmc.Text(id="runs-delete-text", mb="md"),
            dmc.Group(
                [
                    dmc.Button("Keep", id="runs-delete-keep", variant="default"),
                    dmc.Button("Delete", id="runs-delete-confirm", color="red", leftSection=icon("trash")),
                ],
                justify="flex-end",
            ),
        ],
        id="runs-delete-dialog",
        title="Delete for good?",
        opened=False,
        closeButtonProps={"aria-label": "Close"},
    )


def _tag_dialog() -> Component:
    return dmc.Modal(
        [
            dmc.Text(id="runs-tag-text", mb="sm"),
            dmc.TagsInput(id="runs-tag-add", label="Add", placeholder="a tag, then Enter", value=[]),
            dmc.TagsInput(id="runs-tag-remove", label="Remove", placeholder="a tag, then Enter", value=[], mt="sm"),
            dmc.Group(
                [dmc.Button("Change the tags", id="runs-tag-confirm", leftSection=icon("check"))],
                justify="flex-end",
                mt="md",
            ),
        ],
        id="runs-tag-dialog",
        title="Tags of the selected runs",
        opened=False,
        closeButtonProps={"aria-label": "Close"},
    )


def register(dash_app: Dash) -> None:
    """The callbacks of the table; those that need no server run in the browser (assets/runs.js)."""

    @dash_app.callback(
        Output("runs-news", "data"),
        Input("runs-query", "data"),
        Input("runs-tick", "data"),
        Input("runs-again", "data"),
    )
    async def fetch_news(query: run_rows.Query | None, tick: Tick | None, _again: int | None) -> run_rows.News:
        if query is None:
            raise PreventUpdate
        if ctx.triggered_id == "runs-tick" and tick is not None and tick["runs"] is not None:
            return await asyncio.to_thread(run_rows.news_of, tick["runs"], query)
        return await asyncio.to_thread(run_rows.page_of, query)

    @dash_app.callback(Output("runs-edited", "data"), Input("runs-grid", "cellValueChanged"), prevent_initial_call=True)
    async def write_notes(changes: list[dict[str, Any]] | None) -> int:
        for change in changes or []:
            if change["colId"] == "notes":
                await asyncio.to_thread(run_rows.write_notes, change["data"]["id"], change["value"] or "")
        return len(changes or [])

    @dash_app.callback(
        Output("runs-tag-dialog", "opened", allow_duplicate=True),
        Output("runs-tag-add", "value"),
        Output("runs-tag-remove", "value"),
        Input("runs-tag-confirm", "n_clicks"),
        State("runs-grid", "selectedRows"),
        State("runs-tag-add", "value"),
        State("runs-tag-remove", "value"),
        prevent_initial_call=True,
    )
    async def retag(_clicks: int, selected: list[dict[str, Any]], add: list[str], remove: list[str]) -> Any:
        await asyncio.to_thread(run_rows.retag, [row["id"] for row in selected], add or [], remove or [])
        return False, [], []

    @dash_app.callback(
        Input("runs-cancel", "n_clicks"),
        State("runs-grid", "selectedRows"),
        State("runs-grid", "rowData"),
        prevent_initial_call=True,
    )
    async def cancel(_clicks: int, selected: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
        await asyncio.to_thread(run_rows.cancel, _chosen(selected, rows, "can_cancel"))

    @dash_app.callback(
        Input("runs-delete-confirm", "n_clicks"),
        State("runs-grid", "selectedRows"),
        State("runs-grid", "rowData"),
        prevent_initial_call=True,
    )
    async def delete(_clicks: int, selected: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
        await asyncio.to_thread(run_rows.delete, _chosen(selected, rows, "can_delete"))

    _register_clientside(dash_app)


def _chosen(selected: list[dict[str, Any]], rows: list[dict[str, Any]], key: str) -> list[int]:
    """Ids of the selected runs whose newest row allows it."""
    ids = {row["id"] for row in selected}
    return [row["id"] for row in rows if row["id"] in ids and row[key]]


def _register_clientside(dash_app: Dash) -> None:
    dash_app.clientside_callback(
        ClientsideFunction("runs", "read"),
        Output("runs-query", "data"),
        Output("runs-search", "value"),
        Input("url", "search"),
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "tick"),
        Output("runs-tick", "data"),
        Input("live", "data"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "merge"),
        Output("runs-grid", "rowData"),
        Output("runs-search", "error"),
        Input("runs-news", "data"),
        State("runs-grid", "rowData"),
        State("runs-query", "data"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "pager"),
        Output("runs-count", "children"),
        Output("runs-previous", "disabled"),
        Output("runs-next", "disabled"),
        Input("runs-news", "data"),
        Input("runs-grid", "rowData"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "turn"), Input("runs-previous", "n_clicks"), Input("runs-next", "n_clicks")
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "arrange"),
        Output("runs-empty", "hidden"),
        Output("runs-table", "hidden"),
        Output("runs-grid", "style"),
        Input("runs-grid", "rowData"),
        State("runs-query", "data"),
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "buttons"),
        *(Output(f"runs-{name}", "disabled") for name in ("clone", "cancel", "delete", "tag", "compare")),
        Output("runs-selection", "children"),
        Input("runs-grid", "selectedRows"),
        Input("runs-grid", "rowData"),
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "search"), Input("runs-search", "value"), prevent_initial_call=True
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "askTags"),
        Output("runs-tag-dialog", "opened"),
        Output("runs-tag-text", "children"),
        Input("runs-tag", "n_clicks"),
        State("runs-grid", "selectedRows"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "compare"),
        Input("runs-compare", "n_clicks"),
        State("runs-grid", "selectedRows"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "askDelete"),
        Output("runs-delete-dialog", "opened"),
        Output("runs-delete-text", "children"),
        Input("runs-delete", "n_clicks"),
        Input("runs-delete-keep", "n_clicks"),
        Input("runs-delete-confirm", "n_clicks"),
        State("runs-grid", "selectedRows"),
        State("runs-grid", "rowData"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "clone"),
        Input("runs-clone", "n_clicks"),
        State("runs-grid", "selectedRows"),
        prevent_initial_call=True,
    )
