"""The language in which runs are looked for: `net=resnet18 epochs>=50 tag:paper status=failed name~foo`.

    filter     any number of conditions and words with spaces between them; a run must fit all
    condition  FIELD OPERATOR VALUE, with no space around the operator
    operator   = (or :) equal, != not equal, > >= < <= for numbers and times, ~ contains, !~ does not contain
    value      a word, "words in quotes", or for = and != several with commas between them: any of these
    word       alone: in the name, net, dataset or a tag of the run

There is no "or" between fields, and there are no brackets: both are refused, as they would only be looked for as words.
Numbers may be per cent (`test_accuracy>90%`), times are dates (`created>=2026-11-01`) or RFC 3339.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from math import isfinite
from typing import Literal, NamedTuple

from backend.errors import FieldError, InvalidInput
from backend.schemas import RunStatus
from backend.spec_fields import SPEC_FIELDS

Operator = Literal["=", "!=", ">", ">=", "<", "<=", "~", "!~"]
Value = str | float | bool | datetime


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    FLAG = "flag"
    STATUS = "status"
    TAG = "tag"


class Condition(NamedTuple):
    """A field with what it is compared to: any of `values`; field None is a word that may stand anywhere."""

    field: str | None
    operator: Operator
    values: tuple[Value, ...]


OWN_FIELDS = {
    "id": Kind.NUMBER,
    "name": Kind.TEXT,
    "net": Kind.TEXT,
    "dataset": Kind.TEXT,
    "status": Kind.STATUS,
    "tag": Kind.TAG,
    "notes": Kind.TEXT,
    "reason": Kind.TEXT,
    "worker": Kind.TEXT,
    "submitted_by": Kind.TEXT,
    "attempt": Kind.NUMBER,
    "sweep": Kind.NUMBER,
    "recordings": Kind.NUMBER,
    "epoch": Kind.NUMBER,
    "train_loss": Kind.NUMBER,
    "train_accuracy": Kind.NUMBER,
    "test_loss": Kind.NUMBER,
    "test_accuracy": Kind.NUMBER,
    "created": Kind.TIME,
    "started": Kind.TIME,
    "finished": Kind.TIME,
}
FIELDS = {name: Kind(kind) for name, kind in SPEC_FIELDS.items() if kind != "list"} | OWN_FIELDS
ALIASES = {
    "lr": "optimiser.lr",
    "momentum": "optimiser.momentum",
    "nesterov": "optimiser.nesterov",
    "weight_decay": "optimiser.weight_decay",
    "schedule": "lr_schedule.kind",
    "gamma": "lr_schedule.gamma",
    "images": "probe.count",
    "created_at": "created",
    "started_at": "started",
    "finished_at": "finished",
}

LONGEST = 2000

_TEXT: tuple[Operator, ...] = ("=", "!=", "~", "!~")
_ORDERED: tuple[Operator, ...] = ("=", "!=", ">", ">=", "<", "<=")
_ALLOWED: dict[Kind, tuple[Operator, ...]] = {
    Kind.TEXT: _TEXT,
    Kind.TAG: _TEXT,
    Kind.STATUS: ("=", "!="),
    Kind.FLAG: ("=", "!="),
    Kind.NUMBER: _ORDERED,
    Kind.TIME: _ORDERED,
}
_SPACE = re.compile(r"\s*")
_CONDITION = re.compile(r"(?P<field>[A-Za-z_][\w.]*)(?P<operator>!=|>=|<=|!~|[=:><~])")
_SIGN = re.compile(r"!=|>=|<=|!~|[=:><~]")
_VALUE = re.compile(r'"(?P<quoted>[^"]*)"|(?P<plain>[^\s",]+)')
_WORD = re.compile(r'"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+)')
_CALLED_OTHERWISE = {
    **dict.fromkeys(
        ("or", "|", "||"), "there is no “or” between conditions; within one a comma means it: net=mlp,alexnet"
    ),
    **dict.fromkeys(("and", "&", "&&"), "a space between two conditions means “and” already; leave this out"),
    **dict.fromkeys(("not", "!"), "there is no “not”; write != or !~, such as net!=mlp"),
}


def parse(text: str) -> list[Condition]:
    """The conditions of a filter. Raises InvalidInput that names the position, from 1, and what would be right."""
    return list(_conditions(text))


def canonical(name: str) -> str | None:
    """The field's full name; None where there is no such field."""
    name = name.lower()
    name = ALIASES.get(name, name)
    return name if name in FIELDS else None


def _conditions(text: str) -> Iterator[Condition]:
    if len(text) > LONGEST:
        raise _wrong(text, LONGEST, f"a filter ends after {LONGEST} characters at the latest")
    if "\x00" in text:
        raise _wrong(text, text.index("\x00"), "the character NUL cannot be looked for")
    at = _skip(text, 0)
    while at < len(text):
        if (sign := _SIGN.match(text, at)) is not None:
            raise _wrong(text, at, f"{sign[0]!r} stands alone; write field{sign[0]}value without spaces")
        head = _CONDITION.match(text, at)
        if head is None:
            _check_word(text, at)
            yield Condition(None, "~", (found := _one(text, at, _WORD)).values)
            at = found.end
        else:
            condition, at = _condition(text, at, head["field"], head["operator"], head.end())
            yield condition
        if at < len(text) and not text[at].isspace():
            raise _wrong(text, at, f"a space is missing before {text[at:].split()[0]!r}")
        at = _skip(text, at)


class _Found(NamedTuple):
    values: tuple[str]
    end: int


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _one(text: str, at: int, pattern: re.Pattern[str]) -> _Found:
    match = pattern.match(text, at)
    if match is not None:
        return _Found((match["quoted"] if match["quoted"] is not None else match["plain"],), match.end())
    if text[at : at + 1] == '"':
        raise _wrong(text, at, 'the quotation mark " is not closed')
    raise _wrong(text, at, "a value is missing; write one right after the operator, without a space")


def _check_word(text: str, at: int) -> None:
    """Raises InvalidInput for what is meant as more than a word; in quotation marks anything is one."""
    match = _WORD.match(text, at)
    word = match["plain"] if match else None
    if word is None:
        return
    if (called := _CALLED_OTHERWISE.get(word.lower())) is not None:
        raise _wrong(text, at, f'{called}. To look for the word, put it in quotes: "{word}"')
    _check_brackets(text, at, word)
    if re.search("[=<>~]", word):
        raise _wrong(
            text, at, f'{word!r} is no condition: a field begins with a letter; to look for it, write "{word}"'
        )


def _check_brackets(text: str, at: int, word: str) -> None:
    if word.startswith("(") or word.count("(") != word.count(")"):
        place = at + max(word.find("("), 0) if "(" in word else at + word.find(")")
        message = "there are no brackets: all conditions must hold, and a comma means “or” within one (net=mlp,alexnet)"
        raise _wrong(text, place, f'{message}. To look for it, put it in quotes: "{word}"')


def _condition(text: str, start: int, name: str, sign: str, at: int) -> tuple[Condition, int]:
    field = canonical(name)
    if field is None:
        raise _wrong(text, start, f"there is no field {name!r}; {_hint(name)}")
    kind, operator = FIELDS[field], _operator(sign)
    if operator not in _ALLOWED[kind]:
        allowed = " ".join(_ALLOWED[kind])
        raise _wrong(text, start + len(name), f"{sign!r} does not go with {name}; use one of {allowed}")
    values = []
    while True:
        _check_value(text, at, name)
        found = _one(text, at, _VALUE)
        values.append(_read(kind, field, found.values[0], text, at))
        at = found.end
        if text[at : at + 1] != ",":
            break
        at += 1
    if len(values) > 1 and operator not in ("=", "!="):
        raise _wrong(text, start, f"several values with commas go with = and != alone, not with {sign}")
    return Condition(field, operator, tuple(values)), at


def _check_value(text: str, at: int, name: str) -> None:
    """Raises InvalidInput for a second operator, and for brackets, where a value is to begin."""
    if (sign := _SIGN.match(text, at)) is not None:
        message = f"{sign[0]!r} follows another operator; write one, such as {name}=value. In a value put it in quotes"
        raise _wrong(text, at, message)
    match = _VALUE.match(text, at)
    if match and match["plain"]:
        _check_brackets(text, at, match["plain"])


def _operator(sign: str) -> Operator:
    signs: dict[str, Operator] = {one: one for one in (*_ORDERED, "~", "!~")}
    return signs.get(sign, "=")


def _hint(name: str) -> str:
    close = get_close_matches(name.lower(), [*FIELDS, *ALIASES], n=2, cutoff=0.6)
    listed = "name, net, dataset, status, tag, epochs, lr, seed, test_accuracy, created …"
    return f"did you mean {' or '.join(close)}?" if close else f"fields are {listed}"


def _read(kind: Kind, field: str, value: str, text: str, at: int) -> Value:
    try:
        return _READERS[kind](value)
    except ValueError:
        raise _wrong(text, at, f"{value!r} is no {_WORDS[kind]}, which {field} needs") from None


def _number(value: str) -> float:
    number = float(value[:-1]) / 100 if value.endswith("%") else float(value)
    if not isfinite(number):
        raise ValueError(value)
    return number


def _time(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _flag(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError(value)
    return value.lower() == "true"


_READERS: dict[Kind, Callable[[str], Value]] = {
    Kind.TEXT: str,
    Kind.TAG: str,
    Kind.STATUS: lambda value: RunStatus(value.lower()),
    Kind.NUMBER: _number,
    Kind.TIME: _time,
    Kind.FLAG: _flag,
}
_WORDS = {
    Kind.STATUS: f"status ({', '.join(RunStatus)})",
    Kind.NUMBER: "number",
    Kind.TIME: "date such as 2026-11-01",
    Kind.FLAG: "flag (true or false)",
}


def _wrong(text: str, at: int, message: str) -> InvalidInput:
    return InvalidInput([FieldError("filter", text, f"at position {at + 1}: {message}")])
