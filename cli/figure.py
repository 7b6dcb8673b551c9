"""`pathscope figure` and `pathscope compare`: one figure of a run, or of several, as a file, or the list of figures."""

from pathlib import Path
from typing import Any

from rich.table import Table

from cli.client import Server
from cli.console import INVALID, CliError, out, say

FORMATS = ("svg", "png", "html", "csv", "parquet", "json")


def list_figures(server: Server, run_id: int, as_json: bool) -> None:
    answer = server.get(f"/runs/{run_id}/figures")
    if as_json:
        out.print_json(data=answer)
        return
    table = Table("figure", "shows", "parameters", "", box=None, pad_edge=False)
    for figure in answer:
        parameters = " ".join(_parameter(one) for one in figure["parameters"])
        table.add_row(figure["name"], figure["title"], parameters, "" if figure["available"] else "not recorded")
    out.print(table)


def list_compared(server: Server, as_json: bool) -> None:
    answer = server.get("/compare/figures")
    if as_json:
        out.print_json(data=answer)
        return
    table = Table("figure", "shows", "parameters", box=None, pad_edge=False)
    for figure in answer:
        table.add_row(figure["name"], figure["title"], " ".join(f"--{one}" for one in figure["parameters"]))
    out.print(table)


def save_figure(server: Server, address: str, output: Path, chosen: dict[str, Any], scheme: str) -> None:
    """What stands at this address of the API. Raises CliError."""
    kind = output.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise CliError(f"{output} has no ending of a figure's file; take one of .{', .'.join(FORMATS)}", INVALID)
    query = {key: value for key, value in chosen.items() if value is not None}
    content = server.fetch(address, query | {"format": kind, "scheme": scheme})
    try:
        output.write_bytes(content)
    except OSError as error:
        raise CliError(f"{output} cannot be written: {error.strerror}") from error
    say(f"{output}: {len(content):,} bytes")


def _parameter(one: dict[str, Any]) -> str:
    values = "|".join(one["values"]) if one["values"] else "N"
    text = f"--{one['name']} {values}"
    return text if one["required"] else f"[{text}]".replace("[", r"\[", 1)
