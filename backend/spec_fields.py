"""The fields of RunSpec by dotted name: what runs are filtered, grouped and compared by."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from backend.schemas import RunSpec


def _leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        kinds = get_args(field.annotation) or (field.annotation,)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _leaves(field.annotation, f"{prefix}{name}.")
        elif any(get_origin(kind) is tuple for kind in (field.annotation, *_choices(field.annotation))):
            yield prefix + name, "list"
        elif bool in kinds:
            yield prefix + name, "flag"
        elif int in kinds or float in kinds:
            yield prefix + name, "number"
        elif field.annotation is str or all(isinstance(kind, str) for kind in kinds) or _is_word(field.annotation):
            yield prefix + name, "text"


def _choices(annotation: Any) -> tuple[Any, ...]:
    """What stands beside None."""
    union = get_origin(annotation) in (Union, UnionType)
    return tuple(kind for kind in get_args(annotation) if kind is not NoneType) if union else ()


def _is_word(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, str)


SPEC_FIELDS = dict(_leaves(RunSpec))
"""Each with its kind: text, number, flag or list (tags, milestones, quantities, indices)."""


class Values(list[Any]):
    """A list of a spec; its text is that of what is in it, with commas between."""

    def __str__(self) -> str:
        return ", ".join(str(value) for value in self) or "none"


def flat(spec: RunSpec) -> dict[str, Any]:
    """Every field of the spec by its dotted name, lists among them."""

    def walk(values: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in values.items():
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}{name}.")
            else:
                yield prefix + name, Values(value) if isinstance(value, list) else value

    return dict(walk(spec.model_dump(mode="json"), ""))
