"""The fields of RunSpec that hold one value each, by dotted name: what runs are filtered, grouped and compared by."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from backend.schemas import RunSpec


def _leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        kinds = get_args(field.annotation) or (field.annotation,)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _leaves(field.annotation, f"{prefix}{name}.")
        elif bool in kinds:
            yield prefix + name, "flag"
        elif int in kinds or float in kinds:
            yield prefix + name, "number"
        elif field.annotation is str or all(isinstance(kind, str) for kind in kinds) or _is_word(field.annotation):
            yield prefix + name, "text"


def _is_word(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, str)


SPEC_FIELDS = dict(_leaves(RunSpec))
"""Each with its kind: text, number or flag. Lists (tags, milestones, quantities, indices) have no place here."""


def flat(spec: RunSpec) -> dict[str, Any]:
    """Every field of the spec by its dotted name, lists among them."""

    def walk(values: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in values.items():
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}{name}.")
            else:
                yield prefix + name, value

    return dict(walk(spec.model_dump(mode="json"), ""))
