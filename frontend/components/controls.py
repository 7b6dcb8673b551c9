"""The controls of a view: layer, quantity, and the recording slider with its play button."""

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from backend.schemas import Quantity
from frontend.components.facts import Facts, layer_options
from frontend.components.icons import icon
from frontend.components.selection import Selection, middle_layer


def layer_select(facts: Facts, selection: Selection) -> Component:
    return dmc.Select(
        id="layer",
        label="Layer",
        data=layer_options(facts["layers"]),
        value=str(shown_layer(facts, selection.layer)) if facts["layers"] else None,
        allowDeselect=False,
        w=250,
        placeholder="known once the net is built",
    )


def shown_layer(facts: Facts, chosen: int | None) -> int:
    """The chosen layer if the net has it, else the one in the middle."""
    layers = len(facts["layers"])
    return chosen if chosen is not None and chosen <= layers else middle_layer(layers)


def quantity_switch(quantities: tuple[Quantity, ...], selection: Selection) -> Component:
    """Paths or activations, as far as the run records them."""
    chosen = selection.quantity if selection.quantity in quantities else quantities[0]
    words = {Quantity.PATH: "Paths", Quantity.ACTIVATION: "Activations"}
    data = [{"value": one.value, "label": words[one], "disabled": one not in quantities} for one in Quantity]
    return dmc.InputWrapper(
        dmc.SegmentedControl(id="quantity", data=data, value=chosen.value), label="Compare", className="quantity"
    )


def recording_slider(facts: Facts, selection: Selection) -> Component:
    """Moves every view to one recording; `assets/selection.js` does the moving."""
    newest = max(0, len(facts["epochs"]) - 1)
    buttons = (
        ("step-back", "previous", "One recording back"),
        ("play", "running", "Play through the recordings"),
        ("step-on", "next", "One recording on"),
    )
    return html.Div(
        [
            dmc.Group(
                [
                    dmc.ActionIcon(icon(picture), id=name, variant="default", size="lg", **{"aria-label": words})
                    for name, picture, words in buttons
                ],
                gap=4,
                wrap="nowrap",
            ),
            dmc.Slider(
                id="recording",
                min=0,
                max=max(1, newest),
                value=newest if selection.t is None else min(selection.t, newest),
                step=1,
                updatemode="drag",
                thumbLabel="Recording",
                className="recording-slider",
                size="lg",
            ),
            html.Output(id="recording-text", className="recording-text"),
            dmc.Select(
                id="speed",
                data=[{"value": str(n), "label": f"{n} / s"} for n in (1, 2, 5, 10)],
                value="2",
                allowDeselect=False,
                w=85,
                size="xs",
                **{"aria-label": "Recordings per second"},
            ),
            dmc.Button("Newest", id="follow", variant="subtle", size="compact-sm"),
        ],
        className="recording-bar",
        id="recording-bar",
    )
