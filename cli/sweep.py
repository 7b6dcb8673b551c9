"""`pathscope sweep`: what all runs share, and the fields that they differ in."""

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from backend.estimate import bytes_stated
from backend.sweeps import SweepOut, SweepPlan
from cli.client import Server
from cli.console import INVALID, CliError, out, say
from cli.submit import described_run, value_of


def described_sweep(
    file: Path | None, settings: list[str], over: list[str], seeds: str | None, name: str | None
) -> dict[str, Any]:
    """The request as JSON."""
    asked: dict[str, Any] = {"base": described_run(file, {}, settings), "grid": {}}
    for axis in over:
        field, equals, values = axis.partition("=")
        if not field or not equals:
            raise CliError(f"--over takes key=value,value,…, e.g. optimiser.lr=0.01,0.1, found {axis!r}", INVALID)
        listed = value_of(values)
        asked["grid"][field] = listed if isinstance(listed, list) else [value_of(one) for one in values.split(",")]
    if seeds is not None:
        asked["seeds"] = _seeds(seeds)
    return asked | ({"name": name} if name else {})


def submit(server: Server, asked: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    answer = server.post("/sweeps/plan" if dry_run else "/sweeps", asked)
    if as_json:
        out.print_json(data=answer)
    elif dry_run:
        _show_plan(SweepPlan.model_validate(answer))
    else:
        sweep = SweepOut.model_validate(answer)
        say(f"Sweep {sweep.id} has queued {len(sweep.runs)} runs: {sweep.name}  {server.url}/sweeps/{sweep.id}")


def _show_plan(plan: SweepPlan) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Run", overflow="fold")
    table.add_column("Stores", justify="right")
    for run in plan.runs:
        table.add_row(Text(run.name), "-" if run.total_bytes is None else bytes_stated(run.total_bytes))
    out.print(table)
    size = "" if plan.total_bytes is None else f", which would store about {bytes_stated(plan.total_bytes)}"
    say(f"{len(plan.runs)} runs{size}. Nothing was submitted.")


def _seeds(text: str) -> list[int]:
    """Numbers and ranges, both ends included."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise CliError(f"--seeds takes numbers and ranges, e.g. 0-4 or 1,5,9, found {text!r}", INVALID)
        if int(last or first) - int(first) > 10_000:
            raise CliError(f"--seeds {part.strip()} are too many", INVALID)
        found += range(int(first), int(last or first) + 1)
    return found
