"""The commands that save figures; `cli.figure` does the work."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import AsJson, RunId, server_asked

Name = Annotated[str | None, typer.Argument(help="The figure; left out: list them.", show_default=False)]
Output = Annotated[
    Path, typer.Option("-o", "--output", help="File; its ending says what: svg, png, html, csv, parquet or json.")
]
Layer = Annotated[int | None, typer.Option(help="Layer, from 1.", show_default=False)]
Quantity = Annotated[str | None, typer.Option(help="path or activation.", show_default=False)]
Dark = Annotated[bool, typer.Option("--dark", help="Light on dark.")]


def figure(
    run: RunId,
    name: Name = None,
    output: Output = Path("figure.svg"),
    layer: Layer = None,
    quantity: Quantity = None,
    image: Annotated[int | None, typer.Option(help="Probe image, from 0.", show_default=False)] = None,
    partner: Annotated[int | None, typer.Option(help="Another probe image.", show_default=False)] = None,
    recording: Annotated[int | None, typer.Option(help="Recording, from 0.", show_default=False)] = None,
    measure: Annotated[str | None, typer.Option(help="Which of its measures.", show_default=False)] = None,
    order: Annotated[str | None, typer.Option(help="Order of the rows.", show_default=False)] = None,
    dark: Dark = False,
    as_json: AsJson = False,
) -> None:
    """Save a figure of a run, as the dashboard shows it; without NAME, list what there is."""
    from cli.figure import list_figures, save_figure

    chosen = {"layer": layer, "quantity": quantity, "image": image, "partner": partner}
    chosen |= {"recording": recording, "measure": measure, "order": order}
    with server_asked() as server:
        if name is None:
            list_figures(server, run, as_json)
        else:
            save_figure(server, f"/runs/{run}/figures/{name}", output, chosen, "dark" if dark else "light")


def compare(
    name: Name = None,
    output: Output = Path("compared.svg"),
    runs: Annotated[str | None, typer.Option(help="Runs, e.g. 1,2,5.", show_default=False)] = None,
    fitting: Annotated[
        str | None,
        typer.Option("--filter", help="Or those that fit, e.g. 'tag:paper net=alexnet'.", show_default=False),
    ] = None,
    layer: Layer = None,
    quantity: Quantity = None,
    measure: Annotated[
        str | None,
        typer.Option(help="cross_path, self_similarity, train_loss, test_loss, train_accuracy, test_accuracy."),
    ] = None,
    statistic: Annotated[str | None, typer.Option(help="median or mean.", show_default=False)] = None,
    group: Annotated[str | None, typer.Option(help="Field to group by, e.g. optimiser.lr.", show_default=False)] = None,
    error: Annotated[str | None, typer.Option(help="gap or test_error.", show_default=False)] = None,
    field: Annotated[
        str | None, typer.Option(help="Number that differs, e.g. optimiser.lr.", show_default=False)
    ] = None,
    outcome: Annotated[str | None, typer.Option(help="test_accuracy, gap or ratio.", show_default=False)] = None,
    dark: Dark = False,
    as_json: AsJson = False,
) -> None:
    """Save a figure of several runs, as the compare page shows it; without NAME, list what there is."""
    from cli.figure import list_compared, save_figure

    chosen = {"runs": runs, "filter": fitting, "layer": layer, "quantity": quantity, "measure": measure}
    chosen |= {"statistic": statistic, "group": group, "error": error, "field": field, "outcome": outcome}
    with server_asked() as server:
        if name is None:
            list_compared(server, as_json)
        else:
            save_figure(server, f"/compare/figures/{name}", output, chosen, "dark" if dark else "light")
