"""The table of runs: its columns, and how AG Grid shows them (cells are drawn in assets/runs.js)."""

from typing import Any

import dash_ag_grid as dag
from dash.development.base_component import Component

_COLUMNS: list[dict[str, Any]] = [
    {
        "field": "name",
        "headerName": "Name",
        "sort_by": "name",
        "cellRenderer": "RunLink",
        "minWidth": 240,
        "flex": 3,
        "tooltipField": "name",
    },
    {"field": "status_text", "headerName": "Status", "sort_by": "status", "cellRenderer": "RunStatus", "width": 138},
    {"field": "id", "headerName": "Run", "sort_by": "id", "type": "rightAligned", "width": 70},
    {"field": "progress_key", "headerName": "Progress", "cellRenderer": "RunProgress", "width": 120},
    {"field": "test_accuracy", "headerName": "Test acc.", "sort_by": "test_accuracy", "share": True, "width": 96},
    {"field": "train_accuracy", "headerName": "Train acc.", "sort_by": "train_accuracy", "share": True, "width": 98},
    {"field": "net", "headerName": "Net", "sort_by": "net", "width": 98},
    {"field": "dataset", "headerName": "Dataset", "sort_by": "dataset", "width": 98},
    {"field": "epochs", "headerName": "Epochs", "sort_by": "epochs", "type": "rightAligned", "width": 86},
    {"field": "lr", "headerName": "Rate", "sort_by": "lr", "type": "rightAligned", "width": 76},
    {"field": "seed", "headerName": "Seed", "sort_by": "seed", "type": "rightAligned", "width": 74},
    {
        "field": "tags",
        "headerName": "Tags",
        "cellRenderer": "RunTags",
        "minWidth": 130,
        "flex": 2,
        "tooltipField": "tags",
    },
    {
        "field": "notes",
        "headerName": "Notes",
        "minWidth": 100,
        "flex": 1,
        "editable": True,
        "cellEditor": "agLargeTextCellEditor",
        "cellEditorPopup": True,
        "cellEditorParams": {"maxLength": 20_000, "rows": 6, "cols": 50},
        "tooltipField": "notes",
        "headerTooltip": "Double-click, or press Enter, to edit",
    },
    {
        "field": "started_at",
        "headerName": "Started",
        "sort_by": "started",
        "valueFormatter": {"function": "runTime(params.value)"},
        "width": 120,
    },
    {
        "colId": "duration",
        "headerName": "Duration",
        "valueGetter": {"function": "runSeconds(params.data)"},
        "valueFormatter": {"function": "runDuration(params.value)"},
        "type": "rightAligned",
        "width": 92,
    },
]


def runs_grid() -> Component:
    return dag.AgGrid(
        id="runs-grid",
        columnDefs=[_column(column) for column in _COLUMNS],
        defaultColDef={
            "sortable": False,
            "resizable": True,
            "suppressHeaderKeyboardEvent": {"function": "runsHeaderKey(params)"},
            "suppressKeyboardEvent": {"function": "runsCellKey(params)"},
        },
        getRowId="params.data.key",
        dashGridOptions={
            "theme": {"function": "runsTheme(theme, agGrid)"},
            "rowSelection": {"mode": "multiRow", "enableClickSelection": False, "headerCheckbox": True},
            "selectionColumnDef": {"width": 48, "pinned": "left"},
            "rowHeight": 46,
            "ensureDomOrder": True,
            "animateRows": False,
            "localeText": {"noRowsToShow": "No run to show"},
        },
        style={"height": "60vh", "width": "100%"},
    )


def _column(column: dict[str, Any]) -> dict[str, Any]:
    """The column as AG Grid takes it; shares hold 0 to 1 and show per cent, the server sorts by `sort_by`."""
    plain = {key: value for key, value in column.items() if key not in ("share", "sort_by")}
    if "sort_by" in column:
        plain |= {"headerComponent": "RunsHeader", "headerComponentParams": {"sortBy": column["sort_by"]}}
    if column.get("share"):
        plain |= {"type": "rightAligned", "valueFormatter": {"function": "runShare(params.value)"}}
    return plain
