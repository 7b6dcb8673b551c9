"""The command `pathscope`. What a command needs is imported when it runs, so that `--help` answers at once."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cli.client import Server

app = typer.Typer(
    help="See which paths each image takes through a ReLU network while it trains.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Host = Annotated[str | None, typer.Option(help="Address to listen on; left out: PATHSCOPE_HOST.", show_default=False)]
Port = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port; left out: PATHSCOPE_PORT or PORT.", show_default=False)
]
RunId = Annotated[int, typer.Argument(min=1, metavar="ID", help="The run's number.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's answer as JSON.")]


@app.callback()
def pathscope(
    traceback: Annotated[bool, typer.Option("--traceback", help="Show the traceback of an unexpected error.")] = False,
) -> None:
    _Options.traceback = traceback


class _Options:
    traceback = False


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    demo: Annotated[bool, typer.Option(help="Submit the demo run where there is no run yet.")] = True,
) -> None:
    """Start everything on this machine: migrate, then server and worker, until Ctrl-C."""
    from cli.up import up as start

    start(*_place(host, port), demo=demo)


@app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Start the server alone: API and dashboard."""
    from cli.serve import serve as start

    start(*_place(host, port))


@app.command()
def worker(
    name: Annotated[
        str | None, typer.Option(help="Name, where several run on one machine.", show_default=False)
    ] = None,
) -> None:
    """Start a worker alone: it trains queued runs, one at a time."""
    from cli.serve import work

    work(name)


@app.command()
def migrate(
    wait: Annotated[float, typer.Option(min=0, help="Wait so many seconds for the database.")] = 0,
) -> None:
    """Bring the database's tables up to date; does nothing where they are."""
    from backend import migrations
    from cli import checks
    from cli.console import say

    checks.check_home()
    checks.check_database(wait)
    migrations.migrate()
    say("The database is up to date.")


@app.command()
def submit(
    file: Annotated[Path | None, typer.Argument(help="JSON file that describes the run; - for standard input.")] = None,
    net: Annotated[str | None, typer.Option(help="Net, e.g. alexnet.", show_default=False)] = None,
    dataset: Annotated[str | None, typer.Option(help="Dataset, e.g. digits.", show_default=False)] = None,
    name: Annotated[str | None, typer.Option(help="Name.", show_default=False)] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag; may be given several times.")] = None,
    notes: Annotated[str | None, typer.Option(help="Notes.", show_default=False)] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs.", show_default=False)] = None,
    batch_size: Annotated[int | None, typer.Option(help="Batch size.", show_default=False)] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.", show_default=False)] = None,
    augmentation: Annotated[str | None, typer.Option(help="none or flip_crop.", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed.", show_default=False)] = None,
    probe: Annotated[int | None, typer.Option(help="Number of probe images.", show_default=False)] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16.", show_default=False)] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default=False)] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other field, e.g. lr_schedule.gamma=0.2")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the run to its end; 3 unless it completes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Submit a training run. Flags go over the file's fields, and --set over both."""
    from cli.submit import described_run
    from cli.submit import submit as send

    flags: dict[str, Any] = {
        "net": net,
        "dataset": dataset,
        "name": name,
        "tags": tag or None,
        "notes": notes,
        "epochs": epochs,
        "batch_size": batch_size,
        "optimiser.lr": lr,
        "augmentation": augmentation,
        "seed": seed,
        "probe.count": probe,
        "precision": precision,
        "device": device,
    }
    with _server() as server:
        send(server, described_run(file, flags, settings or []), watching=watch, as_json=as_json)


@app.command()
def runs(
    status: Annotated[str | None, typer.Option(help="Only runs with this status.", show_default=False)] = None,
    net: Annotated[str | None, typer.Option(help="Only runs of this net.", show_default=False)] = None,
    dataset: Annotated[str | None, typer.Option(help="Only runs on this dataset.", show_default=False)] = None,
    tag: Annotated[str | None, typer.Option(help="Only runs with this tag.", show_default=False)] = None,
    sort: Annotated[str, typer.Option(help="-created_at, created_at, name, net, dataset or status.")] = "-created_at",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="next_cursor of the page before.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first."""
    from cli.runs import list_runs

    asked = {"status": status, "net": net, "dataset": dataset, "tag": tag, "sort": sort, "cursor": cursor}
    with _server() as server:
        list_runs(server, {key: value for key, value in asked.items() if value is not None} | {"limit": limit}, as_json)


@app.command()
def show(run: RunId, as_json: AsJson = False) -> None:
    """Show one run and its recordings."""
    from cli.runs import show as show_run

    with _server() as server:
        show_run(server, run, as_json)


@app.command()
def cancel(run: RunId) -> None:
    """Cancel a run that waits or runs; what it recorded stays."""
    from cli.runs import cancel as cancel_run

    with _server() as server:
        cancel_run(server, run)


@app.command()
def doctor() -> None:
    """Say what is installed, what can be reached and which GPU is there; 1 where something is bad."""
    from cli.doctor import doctor as examine

    examine()


def _place(host: str | None, port: int | None) -> tuple[str, int]:
    from backend.settings import settings

    return host or settings().host, port or settings().port


def _server() -> "Server":
    from backend.settings import settings
    from cli.client import Server

    return Server(settings().server_url)


def main() -> None:
    """Run the command; whatever goes wrong becomes a line on stderr and an exit code."""
    try:
        app(prog_name="pathscope")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has gone, as in `pathscope runs | head`; Python would complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        message, code = _explain(error)
        print(f"pathscope: {message}", file=sys.stderr)
        sys.exit(code)


def _explain(error: Exception) -> tuple[str, int]:
    from pydantic import ValidationError

    from cli.console import INVALID, CliError

    if isinstance(error, CliError):
        return str(error), error.code
    if isinstance(error, ValidationError) and error.title == "Settings":
        found = error.errors(include_url=False)
        return "\n".join(f"the setting {_variable(e['loc'][0])} is {e['input']!r}: {e['msg']}" for e in found), INVALID
    if _Options.traceback:
        raise error
    said = next(iter(str(error).splitlines()), "")
    return f"unexpected {type(error).__name__}: {said} (`pathscope --traceback …` shows where)", 1


def _variable(field: object) -> str:
    name = str(field)
    return "PATHSCOPE_PORT (or PORT)" if name == "PATHSCOPE_PORT" else f"PATHSCOPE_{name.upper()}"
