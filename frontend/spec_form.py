"""What the form of a new run asks, walked from RunSpec, and the way from what was typed to a spec and back.

Values are what widgets hold: numbers or "" in number fields, a string of numbers for lists of integers ("" where none
is given, "none" for an empty list), lists of strings for tags and choices of several. A request is the JSON that REST
takes; fields at their defaults are left out.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from backend import catalogue, run_limits
from backend.errors import FieldError, InvalidInput
from backend.schemas import RunSpec


class Kind(StrEnum):
    """The widget that a field gets."""

    SELECT = "select"
    CHOICES = "choices"
    SWITCH = "switch"
    INTEGER = "integer"
    NUMBER = "number"
    INTEGERS = "integers"
    TAGS = "tags"
    TEXT = "text"
    TEXT_AREA = "text area"


class SpecField(NamedTuple):
    """One field of the form; `path` is dotted, `options` are (value, label)."""

    path: str
    kind: Kind
    label: str
    help: str
    default: Any
    options: tuple[tuple[str, str], ...] = ()
    least: float | None = None
    most: float | None = None

    @property
    def widget_id(self) -> str:
        return "spec-" + self.path.replace(".", "-").replace("_", "-")

    @property
    def value_property(self) -> str:
        return "checked" if self.kind is Kind.SWITCH else "value"


class Group(NamedTuple):
    title: str
    fields: tuple[SpecField, ...]


Values = Mapping[str, Any]

_FIRST, _REST = "What to train", "Optimisation"
_GROUP_OF = {
    **dict.fromkeys(("net", "dataset", "name", "tags", "notes"), _FIRST),
    **dict.fromkeys(("probe", "recordings", "quantities", "paths"), "What to record"),
    **dict.fromkeys(("precision", "device", "devices", "compile", "priority"), "Machine"),
}
ONLY_WITH = {
    "lr_schedule.milestones": ("lr_schedule.kind", "milestones"),
    "lr_schedule.gamma": ("lr_schedule.kind", "milestones"),
    "lr_schedule.warm_up": ("lr_schedule.kind", "one_cycle"),
    "recordings.projection_every": ("quantities", "projection"),
}
"""Fields that mean something only where another field has, or holds, this value; elsewhere they are not asked for."""
_LONG_TEXT = 1000
_NO_INTEGERS = "none"
_OPTION_LABELS = {
    "flip_crop": "Flip and crop",
    "one_cycle": "One cycle",
    "none": "None",
    "fp32": "32-bit floats (fp32)",
    "bf16": "bfloat16 (bf16)",
    "auto": "Automatic",
    "cpu": "CPU",
    "cuda": "GPU (CUDA)",
    "path": "Paths",
    "activation": "Activations",
    "projection": "Projections",
    "image_function": "Image functions",
}


def fields() -> tuple[SpecField, ...]:
    """Every field of RunSpec that can be chosen, in the schema's order; nested ones in the place of their parent."""
    return tuple(_walk(RunSpec, "", "Run"))


def groups() -> tuple[Group, ...]:
    """The fields in groups; a field that the schema gains later stands under "Optimisation" until it is placed."""
    titles = (_FIRST, _REST, *(title for title in dict.fromkeys(_GROUP_OF.values()) if title != _FIRST))
    members: dict[str, list[SpecField]] = {title: [] for title in titles}
    for field in fields():
        members[_GROUP_OF.get(field.path.split(".")[0], _REST)].append(field)
    return tuple(Group(title, tuple(found)) for title, found in members.items())


def values_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the widgets show for a request (or a spec's JSON): its fields, and defaults for the rest."""
    return {field.path: _shown(field, _dig(request, field.path, field.default)) for field in fields()}


def request_of(values: Values) -> dict[str, Any]:
    """The request that these values stand for. Anything goes: what is wrong is found by `check`."""
    request: dict[str, Any] = {}
    for field in fields():
        value = _parsed(field, values.get(field.path))
        if not matters(field.path, values):
            continue
        if field.default is PydanticUndefined or value != field.default:
            _put(request, field.path, value)
    return request


def matters(path: str, values: Values) -> bool:
    """Whether the field means something beside the others; where the other is not given, it does."""
    other, wanted = ONLY_WITH.get(path, ("", ""))
    value = values.get(other)
    return value is None or value == wanted or (isinstance(value, list) and wanted in value)


def check(request: Mapping[str, Any]) -> tuple[RunSpec | None, dict[str, str]]:
    """The spec, or what is wrong: a message for each field's path; "" stands for what belongs to no field."""
    try:
        spec = RunSpec.model_validate(request)
        run_limits.check(spec)
    except ValidationError as error:
        found = [FieldError(_dotted(one["loc"]), one.get("input"), _message(one)) for one in error.errors()]
        return None, by_field(found)
    except InvalidInput as error:
        return None, by_field(error.errors)
    return spec, {}


def by_field(errors: Sequence[FieldError]) -> dict[str, str]:
    """Messages by the field of the form that each belongs to.

    What a whole group is told goes to that field of the group that the message names, else to its first.
    """
    paths = [field.path for field in fields()]
    messages: dict[str, str] = {}
    for error in errors:
        place = next((path for path in paths if error.field == path or error.field.startswith(path + ".")), None)
        if place is None:
            inside = [path for path in paths if path.startswith(error.field + ".")]
            named = [path for path in inside if path.rsplit(".", 1)[-1].rstrip("s") in error.message]
            place = (named or inside or [""])[0]
        message = error.message if place else f"{error.field}: {error.message}"
        messages[place] = f"{messages[place]}; {message}" if place in messages else message
    return messages


def _walk(model: type[BaseModel], prefix: str, title: str) -> list[SpecField]:
    """The model's fields; its `kind` is called what the model is called."""
    found: list[SpecField] = []
    for name, info in model.model_fields.items():
        path, inner = prefix + name, _plain(info.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _walk(inner, path + ".", info.title or name)
        elif get_origin(inner) is not Literal or len(get_args(inner)) > 1:
            found.append(_field(path, inner, info, title if name == "kind" else info.title))
    return found


def _field(path: str, inner: Any, info: FieldInfo, title: str | None) -> SpecField:
    least, most = _bounds(info)
    return SpecField(
        path=path,
        kind=_kind(path, inner, info),
        label=title or path.rsplit(".", 1)[-1].replace("_", " ").capitalize(),
        help=info.description or "",
        default=_jsonable(info.default),
        options=_options(path, inner),
        least=least,
        most=most,
    )


def _plain(annotation: Any) -> Any:
    """The annotation without Annotated and without "or None"."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _plain(next(part for part in get_args(annotation) if part is not NoneType))
    return annotation


def _kind(path: str, inner: Any, info: FieldInfo) -> Kind:
    if path in ("net", "dataset") or get_origin(inner) is Literal or _is_enum(inner):
        return Kind.SELECT
    if get_origin(inner) is tuple:
        item = _plain(get_args(inner)[0])
        return Kind.INTEGERS if item is int else Kind.TAGS if item is str else Kind.CHOICES
    if inner is str:
        longest = next((part.max_length for part in info.metadata if hasattr(part, "max_length")), 0)
        return Kind.TEXT_AREA if (longest or 0) > _LONG_TEXT else Kind.TEXT
    return {bool: Kind.SWITCH, int: Kind.INTEGER, float: Kind.NUMBER}[inner]


def _options(path: str, inner: Any) -> tuple[tuple[str, str], ...]:
    if path == "net":
        return tuple((net.name, net.title) for net in catalogue.catalogue().nets)
    if path == "dataset":
        return tuple((dataset.name, dataset.title) for dataset in catalogue.catalogue().datasets)
    if get_origin(inner) is Literal:
        return tuple((value, _option_label(value)) for value in get_args(inner))
    item = _plain(get_args(inner)[0]) if get_origin(inner) is tuple else inner
    return tuple((member.value, _option_label(member.value)) for member in item) if _is_enum(item) else ()


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def _option_label(value: str) -> str:
    return _OPTION_LABELS.get(value, value.replace("_", " ").capitalize())


def _bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    least = most = None
    for part in info.metadata:
        if isinstance(part, (Ge, Gt)):
            least = part.ge if isinstance(part, Ge) else part.gt
        if isinstance(part, (Le, Lt)):
            most = part.le if isinstance(part, Le) else part.lt
    return least, most  # type: ignore[return-value]


def _jsonable(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value.value if isinstance(value, StrEnum) else value


def _shown(field: SpecField, value: Any) -> Any:
    if value is PydanticUndefined or value is None:
        return ""
    if field.kind is Kind.INTEGERS:
        return ", ".join(str(item) for item in value) or _NO_INTEGERS
    return _jsonable(value)


def _parsed(field: SpecField, value: Any) -> Any:
    if field.kind is Kind.INTEGERS:
        if (value or "").strip().lower() == _NO_INTEGERS:
            return []
        items = [item for item in re.split(r"[\s,;]+", value or "") if item]
        return [int(item) if re.fullmatch(r"-?\d{1,18}", item) else item for item in items] or None
    if field.kind in (Kind.INTEGER, Kind.NUMBER):
        return None if value == "" else value
    if field.kind in (Kind.TAGS, Kind.CHOICES):
        return list(value or [])
    return bool(value) if field.kind is Kind.SWITCH else value or ""


def _dig(request: Mapping[str, Any], path: str, default: Any) -> Any:
    found: Any = request
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return default
        found = found[name]
    return found


def _put(request: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        request = request.setdefault(name, {})
    request[last] = value


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _message(error: Any) -> str:
    """Pydantic's message in the form's words."""
    kind, value = error["type"], error.get("input")
    if kind in ("int_type", "float_type", "missing", "string_too_short") and not value:
        return "choose one" if kind in ("missing", "string_too_short") else "enter a number"
    if kind == "int_parsing":
        return f"{value!r} is not a whole number"
    if kind == "string_pattern_mismatch":
        return f"{value!r} holds a space or a comma; a tag is one word"
    text = str(error["msg"]).removeprefix("Value error, ")
    return text.replace("Input should be", "must be").replace("Tuple should have", "choose")
