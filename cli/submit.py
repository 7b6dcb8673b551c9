"""`pathscope submit`: a run's description put together from a file, flags and `--set`."""

import json
import sys
from pathlib import Path
from typing import Any

from backend.estimate import RunSize, size_stated
from cli.client import Server
from cli.console import INVALID, CliError, out, say
from cli.watch import watch


def submit(server: Server, spec: dict[str, Any], *, watching: bool, as_json: bool) -> None:
    run = server.post("/runs", spec)
    if as_json:
        out.print_json(data=run)
    else:
        say(f"Run {run['id']} is queued: {run['name']}  {server.url}/runs/{run['id']}")
        say(size_stated(RunSize.model_validate(server.post("/estimate", spec))))
    if watching:
        watch(server, run["id"])


def described_run(file: Path | None, flags: dict[str, Any], settings: list[str]) -> dict[str, Any]:
    """The run as JSON: what the file holds, over it the flags that were given, over these each `--set`."""
    spec = _read(file) if file else {}
    for field, value in flags.items():
        if value is not None:
            _put(spec, field, value)
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not field or not equals:
            raise CliError(f"--set takes key=value, e.g. optimiser.lr=0.05, found {setting!r}", INVALID)
        _put(spec, field, value_of(text))
    return spec


def _read(file: Path) -> dict[str, Any]:
    where = "standard input" if str(file) == "-" else str(file)
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        spec = json.loads(text, parse_constant=_refuse)
    except OSError as error:
        raise CliError(f"cannot read {where}: {error.strerror}", INVALID) from error
    except ValueError as error:
        raise CliError(f"{where} is not JSON: {error}", INVALID) from error
    except RecursionError as error:
        raise CliError(f"{where} is not JSON: it is nested too deeply", INVALID) from error
    if not isinstance(spec, dict):
        raise CliError(f'{where} must hold one JSON object, e.g. {{"net": "alexnet", "dataset": "digits"}}', INVALID)
    return spec


def value_of(text: str) -> object:
    """The text as JSON where it is JSON, else as it stands, so that `net=alexnet` needs no quotes."""
    try:
        value: object = json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number that JSON knows")


def _put(spec: dict[str, Any], field: str, value: object) -> None:
    *parents, last = field.split(".")
    for parent in parents:
        inner = spec.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise CliError(f"{field}: {parent} holds {inner!r}, which has no fields inside", INVALID)
        spec = inner
    spec[last] = value
