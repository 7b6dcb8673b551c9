"""All runs in one live table: filter, sort, cancel, delete, clone."""

import asyncio
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component

from backend.schemas import RunStatus
from frontend import run_rows
from frontend.components.icons import icon
from frontend.live import Tick

PATH_TEMPLATE = "/"
TITLE = "Runs"

_COLUMNS: list[dict[str, Any]] = [
    {
        "field": "status_text",
        "headerName": "Status",
        "cellRenderer": "RunStatus",
        "width": 142,
        "suppressHeaderFilterButton": True,
    },
    {"field": "name", "headerName": "Name", "cellRenderer": "RunLink", "minWidth": 180, "flex": 2},
    {"field": "net", "headerName": "Net", "width": 105},
    {"field": "dataset", "headerName": "Dataset", "width": 120},
    {"field": "tags", "headerName": "Tags", "cellRenderer": "RunTags", "minWidth": 120, "flex": 1},
    {"field": "progress_key", "headerName": "Progress", "cellRenderer": "RunProgress", "width": 210, "filter": False},
    {"field": "train_accuracy", "headerName": "Train acc.", "share": True, "width": 100},
    {"field": "test_accuracy", "headerName": "Test acc.", "share": True, "width": 96},
    {
        "field": "started_at",
        "headerName": "Started",
        "valueFormatter": {"function": "runTime(params.value)"},
        "width": 125,
        "filter": False,
    },
    {
        "colId": "duration",
        "headerName": "Duration",
        "valueGetter": {"function": "runSeconds(params.data)"},
        "valueFormatter": {"function": "runDuration(params.value)"},
        "type": "rightAligned",
        "width": 105,
        "filter": False,
    },
]


def layout(**_query: str) -> Component:
    """The table; its rows come with the first callback, so that the page stands at once."""
    return html.Div(
        [
            dcc.Store(id="runs-news"),
            dmc.Group(
                [dmc.Title("Runs", order=1, size="h2"), html.Div(className="spacer"), _new_run_button("runs-new")],
                mb="sm",
            ),
            html.Div([_toolbar(), _grid()], id="runs-table"),
            html.Div(_empty(), id="runs-empty", hidden=True),
            _delete_dialog(),
        ]
    )


def _new_run_button(button_id: str) -> Component:
    return dmc.Anchor([icon("plus"), "New run"], href="/new", id=button_id, className="button-link", underline="never")


def _toolbar() -> Component:
    statuses = [{"value": status.value, "label": status.value.capitalize()} for status in RunStatus]
    return dmc.Group(
        [
            dmc.TextInput(
                id="runs-search",
                placeholder="Search name, net, dataset, tag",
                leftSection=icon("search"),
                className="runs-search",
                **{"aria-label": "Search the runs"},
            ),
            dmc.Select(
                id="runs-status-filter",
                data=statuses,
                placeholder="Any status",
                clearable=True,
                w=150,
                **{"aria-label": "Show only runs of this status"},
            ),
            html.Div(className="spacer"),
            html.Span(id="runs-selection", className="dimmed", role="status"),
            dmc.Button("Clone", id="runs-clone", leftSection=icon("copy"), variant="default", disabled=True),
            dmc.Button("Cancel", id="runs-cancel", leftSection=icon("stop"), variant="default", disabled=True),
            dmc.Button("Delete", id="runs-delete", leftSection=icon("trash"), variant="default", disabled=True),
        ],
        gap="sm",
        mb="sm",
    )


def _grid() -> Component:
    return dag.AgGrid(
        id="runs-grid",
        columnDefs=[_column(column) for column in _COLUMNS],
        defaultColDef={"sortable": True, "filter": "agTextColumnFilter", "resizable": True},
        getRowId="params.data.key",
        dashGridOptions={
            "theme": {"function": "runsTheme(theme, agGrid)"},
            "rowSelection": {"mode": "multiRow", "enableClickSelection": False, "headerCheckbox": True},
            "selectionColumnDef": {"width": 48},
            "rowHeight": 46,
            "ensureDomOrder": True,
            "animateRows": False,
            "localeText": {"noRowsToShow": "No run fits the search"},
        },
        style={"height": "60vh", "width": "100%"},
    )


def _column(column: dict[str, Any]) -> dict[str, Any]:
    """The column as AG Grid takes it; those marked as a share hold 0 to 1 and show per cent."""
    plain = {key: value for key, value in column.items() if key != "share"}
    if not column.get("share"):
        return plain
    return {**plain, "type": "rightAligned", "filter": False, "valueFormatter": {"function": "runShare(params.value)"}}


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
    )


def register(dash_app: Dash) -> None:
    """The callbacks of the table; those that need no server run in the browser (assets/runs.js)."""

    @dash_app.callback(Output("runs-news", "data"), Input("live", "data"))
    async def fetch_news(tick: Tick) -> dict[str, Any]:
        if ctx.triggered_id is None or tick["runs"] is None:
            return {"rows": await asyncio.to_thread(run_rows.all_rows), "all": True}
        return {"rows": await asyncio.to_thread(run_rows.rows_of, tick["runs"]), "all": False}

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
        ClientsideFunction("runs", "merge"),
        Output("runs-grid", "rowData"),
        Input("runs-news", "data"),
        State("runs-grid", "rowData"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "arrange"),
        Output("runs-empty", "hidden"),
        Output("runs-table", "hidden"),
        Output("runs-grid", "style"),
        Input("runs-grid", "rowData"),
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "buttons"),
        Output("runs-clone", "disabled"),
        Output("runs-cancel", "disabled"),
        Output("runs-delete", "disabled"),
        Output("runs-selection", "children"),
        Input("runs-grid", "selectedRows"),
        Input("runs-grid", "rowData"),
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "search"),
        Output("runs-grid", "dashGridOptions"),
        Input("runs-search", "value"),
        State("runs-grid", "dashGridOptions"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(
        ClientsideFunction("runs", "filter"),
        Output("runs-grid", "filterModel"),
        Input("runs-status-filter", "value"),
        State("runs-grid", "filterModel"),
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
