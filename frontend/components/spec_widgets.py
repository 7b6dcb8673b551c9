"""The widget of each field of a run's form."""

from typing import Any

import dash_mantine_components as dmc
from dash.development.base_component import Component

from frontend.spec_form import Kind, SpecField

_WIDE = (Kind.TEXT_AREA, Kind.TAGS)


def widget(field: SpecField, value: Any) -> Component:
    """The input for this field, holding this value; errors go to its `error`."""
    said: dict[str, Any] = {"id": field.widget_id, "label": field.label, "description": field.help or None}
    options = [{"value": option, "label": label} for option, label in field.options]
    match field.kind:
        case Kind.SELECT:
            known = {option for option, _ in field.options}
            lost = [{"value": value, "label": f"{value} (not there any more)"}] if value and value not in known else []
            return dmc.Select(value=value or None, data=options + lost, allowDeselect=False, searchable=True, **said)
        case Kind.CHOICES:
            boxes = [dmc.Checkbox(label=option["label"], value=option["value"]) for option in options]
            return dmc.CheckboxGroup(dmc.Group(boxes, mt="xs"), value=value, **said)
        case Kind.SWITCH:
            return dmc.Switch(checked=value, className="spec-switch", **said)
        case Kind.INTEGER | Kind.NUMBER:
            return _number(field, value, said)
        case Kind.INTEGERS:
            return dmc.TextInput(value=value, placeholder="10, 15", **said)
        case Kind.TAGS:
            return dmc.TagsInput(value=value, splitChars=[",", " "], acceptValueOnBlur=True, **said)
        case Kind.TEXT:
            return dmc.TextInput(value=value, **said)
        case Kind.TEXT_AREA:
            return dmc.Textarea(value=value, autosize=True, minRows=2, maxRows=10, **said)


def is_wide(field: SpecField) -> bool:
    """Whether the field takes a whole line of the form."""
    return field.kind in _WIDE


def _number(field: SpecField, value: Any, said: dict[str, Any]) -> Component:
    whole = field.kind is Kind.INTEGER
    # Never clamped: a value out of bounds gets a message, not another value.
    return dmc.NumberInput(
        value=value,
        allowDecimal=not whole,
        min=field.least,
        max=field.most,
        step=1 if whole else _step(field),
        clampBehavior="none",
        **said,
    )


def _step(field: SpecField) -> float:
    """The magnitude of the default: 0.02 steps by 0.01, 0.0005 by 0.0001."""
    default = float(field.default or 0.1)
    return float(f"1e{f'{default:e}'.split('e')[1]}")
