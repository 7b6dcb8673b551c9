"""From what somebody asks of a view to the scene that it is drawn for. What cannot be is refused with what can."""

from collections.abc import Callable
from typing import Literal

from backend.errors import Conflict, FieldError, InvalidInput, NotFound
from backend.schemas import Quantity
from frontend.components.facts import Facts
from frontend.components.selection import middle_layer
from frontend.figures.look import Look
from frontend.views.view import Chosen, Scene, View, lacking


def scene_of(view: View, facts: Facts, asked: Chosen, scheme: Literal["light", "dark"] = "light") -> Scene:
    """What is left out is filled in.

    Raises InvalidInput, NotFound for what the run does not record, and Conflict for what it is yet to record.
    """
    if view.needs is not None and view.needs not in facts["recorded"]:
        raise NotFound(f"run {facts['run']} does not {lacking(view.needs)}")
    given = asked.model_dump(exclude_none=True)
    missing = [name for name in view.required if name not in given]
    problems = [_not_taken(view, name, value) for name, value in given.items() if name not in view.parameters]
    problems += [FieldError(name, None, f"the figure {view.name} needs it") for name in missing]
    if problems:
        raise InvalidInput(problems)
    chosen = {name: CHOOSE[name](view, facts, given.get(name)) for name in view.parameters}
    if "partner" in chosen and chosen["partner"] == chosen.get("image"):
        raise InvalidInput([FieldError("partner", chosen["partner"], "a pair needs two different images")])
    quantity = _quantity(view, facts, asked.quantity)
    return Scene(facts, asked.model_copy(update=chosen), Look(scheme, quantity))


def _not_taken(view: View, name: str, value: object) -> FieldError:
    takes = ", ".join(view.parameters) or "no parameters"
    return FieldError(name, value, f"the figure {view.name} does not have it; it takes {takes}")


def _layer(_view: View, facts: Facts, layer: int | None) -> int:
    layers = len(facts["layers"])
    if not layers:
        raise Conflict("The layers are known once the trainer has built the net.")
    return _within("layer", layer if layer is not None else middle_layer(layers), 1, layers)


def _quantity(_view: View, facts: Facts, quantity: Quantity | None) -> Quantity:
    recorded = [Quantity(one) for one in facts["quantities"]]
    if quantity is not None and quantity not in recorded:
        raise InvalidInput([FieldError("quantity", quantity, f"this run records {', '.join(recorded)}")])
    return quantity or recorded[0]


def _image(_view: View, facts: Facts, image: int | None) -> int | None:
    images = len(facts["labels"])
    if not images:
        raise Conflict("The probe images are known once the trainer has loaded the data.")
    return None if image is None else _within("image", image, 0, images - 1)


def _partner(_view: View, facts: Facts, partner: int | None) -> int | None:
    return None if partner is None else _within("partner", partner, 0, len(facts["labels"]) - 1)


def _recording(_view: View, facts: Facts, recording: int | None) -> int:
    newest = len(facts["epochs"]) - 1
    if newest < 0:
        raise Conflict("There is nothing to see before the first recording.")
    return _within("recording", newest if recording is None else recording, 0, newest)


def _measure(view: View, _facts: Facts, measure: str | None) -> str:
    if measure is not None and measure not in view.measures:
        raise InvalidInput([FieldError("measure", measure, f"the figure {view.name} has {', '.join(view.measures)}")])
    return measure or view.measures[0]


def _order(view: View, _facts: Facts, order: str | None) -> str:
    if order is not None and order not in view.orders:
        raise InvalidInput(
            [FieldError("order", order, f"the figure {view.name} is ordered by {', '.join(view.orders)}")]
        )
    return order or view.orders[0]


CHOOSE: dict[str, Callable[..., object]] = {
    "layer": _layer,
    "quantity": _quantity,
    "image": _image,
    "partner": _partner,
    "recording": _recording,
    "measure": _measure,
    "order": _order,
}


def _within(name: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise InvalidInput([FieldError(name, value, f"this run has {least} to {most}")])
    return value
