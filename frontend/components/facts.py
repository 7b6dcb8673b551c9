"""What a run's pages know of it besides statistics: layers, probe images, recordings.

The pages of a run have the stores `place` {"run": id, "image": i or None}, `facts` (as they were when the page was
built; newer ones come over REST, assets/selection_news.js), `run-tick` (a tick that concerns the run), `run-theme` (the
shell's theme: a callback may not listen to what the shell holds and to what only a page has), `run-possible` (what the
run may be told to do), `run-standing` (changes with what pages say of the run in words) and `images-known` (how many
probe images came while the page was open).
"""

import asyncio
from hashlib import sha256
from typing import Any, Literal

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, no_update
from dash.development.base_component import Component
from typing_extensions import TypedDict

from backend.db import read_scope
from backend.schemas import ImageOut, Quantity, RunOut, RunStatus
from backend.services import recordings, runs, workers
from frontend.components.status import run_status


class LayerFact(TypedDict):
    """`label` is what a select calls the layer, `value` its k as text."""

    value: str
    label: str
    name: str


class Facts(TypedDict):
    """`epochs[t]` is the epoch of recording t; labels and names have one entry per probe image.

    `quantities` are compared unit by unit; `recorded` is all that the run records, and whether it keeps all paths.
    `version` changes whenever there is more to draw.
    """

    run: int
    version: str
    recorded: list[str]
    quantities: list[str]
    layers: list[LayerFact]
    labels: list[int]
    names: list[str]
    dataset_indices: list[int]
    epochs: list[float]


ALL_PATHS: Literal["all_paths"] = "all_paths"
"""Among what a run has recorded: it keeps the paths of every recording."""


class Place(TypedDict):
    run: int
    image: int | None


def read_facts(run_id: int) -> Facts:
    """Raises NotFound."""
    with read_scope() as session:
        run, images = runs.get_run(session, run_id), recordings.list_images(session, run_id)
        layers, made = recordings.list_layers(session, run_id), recordings.list_recordings(session, run_id)
        spec = run.spec
        keeps_all = spec.paths == "all" and Quantity.PATH in spec.compared
        return Facts(
            run=run_id,
            version=f"{run.attempt} {run.status.value} {len(layers)} {len(images)} {len(made)}",
            recorded=[*(quantity.value for quantity in spec.quantities), *([ALL_PATHS] if keeps_all else [])],
            quantities=[quantity.value for quantity in spec.compared],
            layers=[
                LayerFact(value=str(one.k), label=f"{one.k} · {one.name} ({one.units:,} units)", name=one.name)
                for one in layers
            ],
            labels=[image.label for image in images],
            names=[image_name(image) for image in images],
            dataset_indices=[image.dataset_index for image in images],
            epochs=[recording.epoch for recording in made],
        )


def read_run(run_id: int) -> tuple[RunOut, str | None]:
    """The run, and where it waits in the queue, why it has not begun. Raises NotFound."""
    with read_scope() as session:
        run = runs.get_run(session, run_id)
        return run, workers.why_waiting(session, run_id) if run.status is RunStatus.QUEUED else None


def standing(run: RunOut) -> str:
    """Differs whenever there is something else to say of the run than how far it is."""
    said = (run.status, run.attempt, run.worker, run.finished_at, run.spec.epochs, run.name, run.tags, run.notes)
    return sha256(repr(said).encode()).hexdigest()[:16]


def image_name(image: ImageOut) -> str:
    """What lists and hover texts call a probe image."""
    return f"#{image.i} · {f'class {image.class_name}' if image.class_name.isdigit() else image.class_name}"


def layer_options(layers: list[LayerFact]) -> list[dict[str, str]]:
    """The choices of a layer select."""
    return [{"value": layer["value"], "label": layer["label"]} for layer in layers]


def fact_stores(run: RunOut, image: int | None, facts: Facts) -> list[Component]:
    """The stores that the pages of a run need."""
    return [
        dcc.Store(id="place", data=dict(Place(run=run.id, image=image))),
        dcc.Store(id="run-tick", data=0),
        dcc.Store(id="run-theme"),
        dcc.Store(id="run-possible", data=list(run.possible)),
        dcc.Store(id="run-standing", data=standing(run)),
        dcc.Store(id="images-known"),
        dcc.Store(id="facts", data=dict(facts)),
    ]


def register(dash_app: Dash) -> None:
    """Keep facts and status up to date as ticks come in.

    Facts come to the browser past Dash: were they an output here, Dash would hold every figure back while a tick is
    being answered, and with ticks coming fast none would ever be drawn.
    """
    dash_app.clientside_callback(
        ClientsideFunction("selection", "theme"), Output("run-theme", "data"), Input("theme", "data")
    )
    dash_app.clientside_callback(
        ClientsideFunction("selection", "enter"),
        Output("images-known", "data"),  # without an output, Dash would not call it when the page is entered
        Input("facts", "data"),
        State("place", "data"),
    )
    dash_app.clientside_callback(
        ClientsideFunction("selection", "concerns"),
        Output("run-tick", "data"),
        Input("live", "data"),
        State("place", "data"),
        prevent_initial_call=True,
    )
    dash_app.clientside_callback(ClientsideFunction("selection", "answered"), Input("run-status", "children"))
    dash_app.clientside_callback(
        ClientsideFunction("selection", "news"), Input("run-interval", "n_intervals"), prevent_initial_call=True
    )

    @dash_app.callback(
        Output("run-status", "children"),
        Output("run-possible", "data"),
        Output("run-standing", "data"),
        Input("run-tick", "data"),
        Input("run-interval", "n_intervals"),
        State("place", "data"),
        State("run-possible", "data"),
        State("run-standing", "data"),
        prevent_initial_call=True,
    )
    async def show_status(
        _tick: int, _intervals: int, place: Place, possible: list[str], stood: str
    ) -> tuple[Any, Any, Any]:
        run, why = await asyncio.to_thread(read_run, place["run"])
        status = run_status(run, why, compact=place["image"] is not None)
        return status, _news(list(run.possible), possible), _news(standing(run), stood)


def _news(now: Any, before: Any) -> Any:
    return no_update if now == before else now
