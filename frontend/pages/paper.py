"""The paper's figures: what each needs, the runs that are there and those to submit, and the figure from what is done.

The address says which figure at which size: `/paper?figure=6&size=paper`.
"""

import asyncio
from typing import Any, Literal, TypedDict
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from backend import catalogue
from backend.db import read_scope
from backend.errors import AppError
from backend.schemas import Quantity, RunSpec, RunStatus
from frontend import comparison, paper
from frontend.components.facts import read_facts
from frontend.components.icons import icon
from frontend.components.panel import CONFIG, attributes
from frontend.figures.look import Look, empty
from frontend.paper import FIGURES, Need, PaperFigure, Shown, figure_of
from frontend.views.choice import scene_of
from frontend.views.compared import RATIOS
from frontend.views.registry import view_called
from frontend.views.view import Chosen

PATH_TEMPLATE = "/paper"
TITLE = "Paper"
HEIGHT = 330

Scheme = Literal["light", "dark"]


class Choice(TypedDict):
    figure: str
    size: paper.Size


class Submitted(TypedDict):
    """The last submission: how many runs; `clicks` tells one from the next."""

    clicks: int
    count: int


def layout(**_query: str) -> Component:
    return html.Div(
        [
            dcc.Store(id="paper-choice"),
            dcc.Store(id="paper-theme"),
            dcc.Store(id="paper-tick"),
            dcc.Store(id="paper-submitted"),
            dcc.Store(id="paper-runs"),
            dmc.Title("The paper's figures", order=1, size="h2"),
            dmc.Text(
                "Each figure with the runs that it needs and what the paper reports of it. Runs are found by the tag "
                f"“{paper.TAG}” and an equal spec, so figures share them.",
                c="dimmed",
                mb="md",
            ),
            html.Div(
                [
                    html.Nav(id="paper-figures", className="paper-figures", **attributes({"aria-label": "Figures"})),
                    html.Div(
                        [html.Div(id="paper-about"), _submit(), html.Div(id="paper-charts", className="paper-charts")]
                    ),
                ],
                className="paper-columns",
            ),
        ],
        className="paper-page",
    )


def _submit() -> Component:
    button = dmc.Button("Submit the missing runs", id="paper-submit", leftSection=icon("plus"), display="none", mt="sm")
    said = html.Span(id="paper-said", className="dimmed paper-said", role="status")
    return html.Div([html.P(id="paper-cost", className="dimmed paper-cost"), button, said])


def register(dash_app: Dash) -> None:
    dash_app.clientside_callback(
        ClientsideFunction("paper", "read"), Output("paper-choice", "data"), Input("url", "search")
    )
    dash_app.clientside_callback(
        ClientsideFunction("selection", "theme"), Output("paper-theme", "data"), Input("theme", "data")
    )
    dash_app.clientside_callback(
        ClientsideFunction("paper", "tick"),
        Output("paper-tick", "data"),  # on other pages there is none, and Dash does not call it
        Input("live", "data"),
        State("paper-runs", "data"),
        prevent_initial_call=True,
    )

    @dash_app.callback(
        Output("paper-figures", "children"),
        Output("paper-about", "children"),
        Output("paper-charts", "children"),
        Output("paper-submit", "display"),
        Output("paper-submit", "children"),
        Output("paper-runs", "data"),
        Output("paper-cost", "children"),
        Output("paper-said", "children"),
        Input("paper-choice", "data"),
        Input("paper-theme", "data"),
        Input("paper-tick", "data"),
        Input("paper-submitted", "data"),
    )
    async def show(choice: Choice | None, theme: Scheme | None, _tick: int | None, submitted: Submitted | None) -> Any:
        if choice is None or theme is None:
            raise PreventUpdate
        said: Any = {"paper-submitted": _said(submitted), "paper-choice": ""}.get(str(ctx.triggered_id), no_update)
        content = await asyncio.to_thread(shown, figure_of(choice["figure"]), _size(choice["size"]), theme)
        return *content, said

    @dash_app.callback(
        Output("paper-submitted", "data"),
        Input("paper-submit", "n_clicks"),
        State("paper-choice", "data"),
        prevent_initial_call=True,
    )
    async def submit(clicks: int | None, choice: Choice) -> Submitted:
        if not clicks:
            raise PreventUpdate
        figure, datasets = figure_of(choice["figure"]), catalogue.catalogue().datasets
        count = await asyncio.to_thread(paper.submit_missing, figure, _size(choice["size"]), datasets)
        return Submitted(clicks=clicks, count=count)


def _said(submitted: Submitted | None) -> str:
    if submitted is None:
        return ""
    count = submitted["count"]
    return f"{count} {'run' if count == 1 else 'runs'} submitted"


def _size(text: str) -> paper.Size:
    return "paper" if text == "paper" else "small"


def shown(figure: PaperFigure, size: paper.Size, theme: Scheme) -> tuple[Any, ...]:
    """Everything that the page shows, in the order of the callback's outputs."""
    specs = paper.specs_of(figure, size, catalogue.catalogue().datasets)
    needs = paper.needs_of(specs or ())
    missing = [need.spec for need in needs if need.run is None]
    words = "Submit the missing run" if len(missing) == 1 else f"Submit the {len(missing)} missing runs"
    ids = [need.run.id for need in needs if need.run is not None]
    charts = _charts(figure, needs, theme)
    return (
        _links(figure, size),
        _about(figure, size, specs, needs),
        charts,
        "inline-block" if missing else "none",
        words,
        ids,
        paper.cost_stated(missing),
    )


def _links(chosen: PaperFigure, size: paper.Size) -> list[Component]:
    return [
        html.A(
            figure.title,
            href=_address(figure, size),
            className="paper-figure is-chosen" if figure is chosen else "paper-figure",
        )
        for figure in FIGURES
    ]


def _address(figure: PaperFigure, size: paper.Size) -> str:
    return f"/paper?{urlencode({'figure': figure.key, 'size': size})}"


def _about(
    figure: PaperFigure, size: paper.Size, specs: tuple[RunSpec, ...] | None, needs: list[Need]
) -> list[Component]:
    titles: dict[paper.Size, str] = {"small": "Small: digits, minutes on two cores", "paper": "The paper's size"}
    sizes = [
        html.A(words, href=_address(figure, one), className="paper-size is-chosen" if one == size else "paper-size")
        for one, words in titles.items()
    ]
    reports: list[Any] = [html.Strong("The paper reports: "), figure.reports]
    if specs is None:
        wanted = "CIFAR-10" if figure.data == "cifar10" else "ImageNet"
        runs: Component = dmc.Text(f"No dataset on offer is {wanted}; see the datasets in the form for new runs.")
    else:
        runs = html.Ul([html.Li(_need(need)) for need in needs], className="paper-needs")
    return [
        dmc.Title(figure.title, order=2, size="h3", id="paper-title"),
        html.P(reports, className="paper-reports"),
        html.Div(sizes, className="paper-sizes"),
        *([_small_print(figure)] if size == "small" else []),
        dmc.Text("Needs", fw=600, mt="sm"),
        runs,
    ]


def _small_print(figure: PaperFigure) -> Component:
    """What the small size is, lest somebody takes its curves for the paper's."""
    data = "ImageNet" if figure.data == "imagenet" else "CIFAR-10"
    return html.P(
        f"These are scikit-learn's digits, of 8 × 8 pixels, for a few epochs: not the paper's data ({data}) nor its "
        "length of training. They show the method, and need not agree with what the paper reports.",
        className="paper-small",
    )


def _need(need: Need) -> list[Any]:
    spec = need.spec
    quantities = " and ".join(f"{quantity}s" for quantity in spec.quantities)
    decays = " and ".join(str(epoch) for epoch in spec.decays)
    words = f"{spec.net} on {spec.dataset}, {spec.epochs} epochs, rate falls after {decays}, seed {spec.seed}, "
    words += f"recorded each epoch: {quantities} of {spec.probe.size} images"
    if need.run is None:
        return [words, ": ", html.Em("not submitted")]
    return [
        words,
        ": ",
        html.A(f"run {need.run.id}", href=f"/runs/{need.run.id}"),
        " ",
        html.Span(need.run.status.value, className=f"status status-{need.run.status.value}"),
    ]


def _charts(figure: PaperFigure, needs: list[Need], theme: Scheme) -> list[Component]:
    done = [need.run.id for need in needs if need.run is not None and need.run.status is RunStatus.COMPLETED]
    if not done:
        return [dmc.Text("The figure comes as soon as a run has completed.", c="dimmed", my="lg")]
    if not figure.views:
        return [_ratios(done, theme)]
    charts = [_chart(done[0], one, n, theme) for n, one in enumerate(figure.views)]
    if len({one.chosen["quantity"] for one in figure.views}) < 2:
        return charts
    return [html.Div(charts[n : n + 2], className="paper-pair") for n in range(0, len(charts), 2)]


def _chart(run_id: int, one: Shown, n: int, theme: Scheme) -> Component:
    view, facts = view_called(one.view), read_facts(run_id)
    quantity = Quantity(one.chosen["quantity"])
    try:
        scene = scene_of(view, facts, Chosen.model_validate(one.chosen), theme)
        with read_scope() as session:
            drawn = view.draw(view.read(session, scene), scene)
    except AppError as error:
        drawn = empty(error.detail, Look(theme, quantity))
    drawn.update_layout(height=HEIGHT, showlegend=bool(drawn.layout.get("meta", {}).get("followed")))
    address = f"/api/v1/runs/{run_id}/figures/{one.view}?{urlencode(one.chosen)}"
    return html.Figure(
        [
            html.Figcaption(f"{view.title}: {_words(one.chosen)}"),
            _explained(view.shows, f"{view.definition} ({view.section})"),
            dcc.Graph(id=f"paper-chart-{n}", figure=drawn, config=CONFIG, style={"height": HEIGHT}),
            _downloads(address, html.A("Explore", href=_page_of(run_id, one))),
            _numbers(address, view.title),
        ],
        className="paper-chart",
    )


def _words(chosen: dict[str, Any]) -> str:
    """As in “image 5, layer 2, paths”."""
    quantity = f"{chosen['quantity']}s"
    return ", ".join([*(f"{name} {chosen[name]}" for name in ("image", "layer") if name in chosen), quantity])


def _page_of(run_id: int, one: Shown) -> str:
    """Where this chart stands among the others of the run, or of the image."""
    page = f"/runs/{run_id}" + (f"/images/{one.chosen['image']}" if "image" in one.chosen else "")
    chosen = {name: value for name, value in one.chosen.items() if name != "image"}
    return f"{page}?{urlencode(chosen)}#{one.view}"


def _downloads(address: str, *further: Component) -> Component:
    links = [html.A(kind.upper(), href=f"{address}&format={kind}") for kind in ("svg", "png", "csv", "html")]
    return html.Div([*links, *further], className="paper-downloads")


def _explained(shows: str, definition: str) -> Component:
    return html.Details([html.Summary(shows), html.P(definition, className="definition")], className="explained")


def _numbers(address: str, title: str) -> Component:
    """The table behind a chart; the browser asks for it when it is opened (assets/paper_numbers.js)."""
    named = {"aria-label": f"Numbers behind: {title}"}
    place = html.Div(className="numbers-table", tabIndex=0, role="region", **attributes(named))
    source = {"data-source": f"{address}&format=table"}
    return html.Details([html.Summary("Numbers"), place], className="explained paper-numbers", **attributes(source))


def _ratios(run_ids: list[int], theme: Scheme) -> Component:
    text = ",".join(str(run_id) for run_id in run_ids)
    choice = comparison.choice_of({"runs": text})
    compared = comparison.read(choice)
    drawn = RATIOS.draw(compared, choice, Look(theme))
    address = f"/api/v1/compare/figures/{RATIOS.name}?{urlencode({'runs': text})}"
    return html.Figure(
        [
            html.Figcaption("Early-to-mid ratio against generalisation gap, a dot for each completed run"),
            _explained(RATIOS.shows, f"{RATIOS.definition} ({RATIOS.section})"),
            dcc.Graph(id="paper-chart-0", figure=drawn, config=CONFIG, style={"height": drawn.layout["height"]}),
            _downloads(address, html.A("Open on the compare page", href=f"/compare?runs={text}")),
            _numbers(address, RATIOS.title),
        ],
        className="paper-chart paper-chart-wide",
    )
