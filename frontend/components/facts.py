"""What a run's pages know of it besides statistics: layers, probe images, recordings. They hold it in stores.

Both pages of a run have the stores `place` {"run": id, "image": i or None}, `run-tick` (a tick that concerns the run),
`run-theme` (the shell's theme: a callback may not listen to what the shell holds and to what only a page has),
`run-version` (changes when there is more to draw, not with each step of progress) and `facts`.
"""

import asyncio
from typing import TypedDict

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, no_update
from dash.development.base_component import Component

from backend.db import read_scope
from backend.schemas import ImageOut, RunOut
from backend.services import recordings, runs, workers
from frontend.components.status import run_status


class LayerFact(TypedDict):
    k: int
    name: str
    kind: str
    units: int


class Facts(TypedDict):
    """`epochs[t]` is the epoch of recording t; labels and names have one entry per probe image."""

    run: int
    layers: list[LayerFact]
    labels: list[int]
    names: list[str]
    dataset_indices: list[int]
    epochs: list[float]


class Place(TypedDict):
    run: int
    image: int | None


def read_facts(run_id: int) -> Facts:
    """Raises NotFound."""
    with read_scope() as session:
        images = recordings.list_images(session, run_id)
        return Facts(
            run=run_id,
            layers=[
                LayerFact(k=one.k, name=one.name, kind=one.kind, units=one.units)
                for one in recordings.list_layers(session, run_id)
            ],
            labels=[image.label for image in images],
            names=[image_name(image) for image in images],
            dataset_indices=[image.dataset_index for image in images],
            epochs=[recording.epoch for recording in recordings.list_recordings(session, run_id)],
        )


def read_run(run_id: int) -> tuple[RunOut, bool]:
    """The run, and whether any worker lives. Raises NotFound."""
    with read_scope() as session:
        return runs.get_run(session, run_id), workers.any_alive(session)


def image_name(image: ImageOut) -> str:
    """What lists and hover texts call a probe image."""
    return f"#{image.i} · {image.class_name}"


def version_of(run: RunOut) -> list[str | int]:
    """Changes whenever there is more to draw of the run."""
    phase = run.progress.phase if run.progress and run.last is None else ""
    return [run.status.value, run.last.t if run.last else -1, phase]


def layer_options(layers: list[LayerFact]) -> list[dict[str, str]]:
    """The choices of a layer select."""
    return [
        {"value": str(layer["k"]), "label": f"{layer['k']} · {layer['name']} ({layer['units']:,} units)"}
        for layer in layers
    ]


def fact_stores(run: RunOut, image: int | None, facts: Facts) -> list[Component]:
    """The stores that both pages of a run need."""
    return [
        dcc.Store(id="place", data=dict(Place(run=run.id, image=image))),
        dcc.Store(id="run-tick", data=0),
        dcc.Store(id="run-theme"),
        dcc.Store(id="run-version", data=version_of(run)),
        dcc.Store(id="facts", data=dict(facts)),
    ]


def register(dash_app: Dash) -> None:
    """Keep the stores and the status up to date as ticks come in."""
    dash_app.clientside_callback(
        ClientsideFunction("selection", "theme"), Output("run-theme", "data"), Input("theme", "data")
    )
    dash_app.clientside_callback(
        ClientsideFunction("selection", "concerns"),
        Output("run-tick", "data"),
        Input("live", "data"),
        State("place", "data"),
        prevent_initial_call=True,
    )

    @dash_app.callback(
        Output("run-status", "children"),
        Output("run-version", "data"),
        Input("run-tick", "data"),
        Input("run-interval", "n_intervals"),
        State("place", "data"),
        State("run-version", "data"),
        prevent_initial_call=True,
    )
    async def show_status(_tick: int, _intervals: int, place: Place, known: list[str | int]) -> tuple[object, object]:
        run, working = await asyncio.to_thread(read_run, place["run"])
        version = version_of(run)
        return run_status(run, working, compact=place["image"] is not None), no_update if version == known else version

    @dash_app.callback(
        Output("facts", "data"), Input("run-version", "data"), State("place", "data"), prevent_initial_call=True
    )
    async def show_facts(_version: list[str | int], place: Place) -> Facts:
        return await asyncio.to_thread(read_facts, place["run"])
