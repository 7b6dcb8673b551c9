"""The command `pathscope`. What a command needs is imported when it runs, so that `--help` answers at once."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import figure_commands, webhook_commands
from cli.options import AsJson, RunId, server_asked

app = typer.Typer(
    help="See which paths each image takes through a ReLU network while it trains.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

token = typer.Typer(help="Make, list and revoke tokens, on the machine of the database.", no_args_is_help=True)
app.add_typer(token, name="token")
app.add_typer(webhook_commands.app, name="webhooks")
app.command()(figure_commands.figure)
app.command()(figure_commands.compare)

Host = Annotated[str | None, typer.Option(help="Address to listen on; left out: PATHSCOPE_HOST.", show_default=False)]
Port = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port; left out: PATHSCOPE_PORT or PORT.", show_default=False)
]


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
def alive(
    name: Annotated[str | None, typer.Option(help="Name that the worker was given.", show_default=False)] = None,
) -> None:
    """End with 0 where the worker of this machine works, with 1 where it does not: for checks of health."""
    from cli.serve import check_alive

    check_alive(name)


@app.command()
def migrate(
    wait: Annotated[float, typer.Option(min=0, help="Wait up to so many seconds for the database.")] = 30,
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
    devices: Annotated[int | None, typer.Option(help="GPUs that share each batch.", show_default=False)] = None,
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
        "devices": devices,
    }
    with server_asked() as server:
        send(server, described_run(file, flags, settings or []), watching=watch, as_json=as_json)


@app.command()
def runs(
    filter: Annotated[  # noqa: A002 - what the help calls it
        list[str] | None,
        typer.Argument(
            help="Such as: net=resnet18 'epochs>=50' tag:paper 'test_accuracy>0.9' name~foo", show_default=False
        ),
    ] = None,
    status: Annotated[str | None, typer.Option(help="Only runs with this status.", show_default=False)] = None,
    net: Annotated[str | None, typer.Option(help="Only runs of this net.", show_default=False)] = None,
    dataset: Annotated[str | None, typer.Option(help="Only runs on this dataset.", show_default=False)] = None,
    tag: Annotated[str | None, typer.Option(help="Only runs with this tag.", show_default=False)] = None,
    sort: Annotated[str, typer.Option(help="A field of the filter; with - before it the largest first.")] = "-created",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="next_cursor of the page before.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first."""
    from cli.runs import list_runs

    text = " ".join(filter) if filter else None
    asked = {
        "filter": text,
        "status": status,
        "net": net,
        "dataset": dataset,
        "tag": tag,
        "sort": sort,
        "cursor": cursor,
    }
    with server_asked() as server:
        list_runs(server, {key: value for key, value in asked.items() if value is not None} | {"limit": limit}, as_json)


@app.command()
def show(run: RunId, as_json: AsJson = False) -> None:
    """Show one run and its recordings."""
    from cli.runs import show as show_run

    with server_asked() as server:
        show_run(server, run, as_json)


@app.command()
def cancel(run: RunId) -> None:
    """Cancel a run that waits or runs; what it recorded stays."""
    from cli.runs import cancel as cancel_run

    with server_asked() as server:
        cancel_run(server, run)


@token.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="Whose it is; runs bear it.")],
    scope: Annotated[str, typer.Option(help="read, submit or admin; each includes those before it.")] = "submit",
    expires: Annotated[str, typer.Option(help="12h, 30d, 8w, 1y or never.")] = "1y",
) -> None:
    """Make a token and print it, this once. From then on the server lets nobody in without one."""
    from cli.tokens import create

    create(name, scope, expires)


@token.command("list")
def token_list() -> None:
    """List all tokens: their scopes, and when they were last used."""
    from cli.tokens import list_tokens

    list_tokens()


@token.command("revoke")
def token_revoke(name: Annotated[str, typer.Argument(metavar="NAME|ID", help="Of a token in force.")]) -> None:
    """End a token at once, and every browser's session that was opened with it."""
    from cli.tokens import revoke

    revoke(name)


@app.command()
def doctor() -> None:
    """Say what is installed, what can be reached and which GPU is there; 1 where something is bad."""
    from cli.doctor import doctor as examine

    examine()


@app.command()
def sweep(
    file: Annotated[Path | None, typer.Argument(help="JSON file with the fields that all runs share.")] = None,
    over: Annotated[
        list[str] | None, typer.Option(metavar="KEY=A,B,…", help="A field and its values, e.g. optimiser.lr=0.01,0.1")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds, e.g. 0-4 or 1,5,9.", show_default=False)] = None,
    name: Annotated[str | None, typer.Option(help="What the sweep is called.", show_default=False)] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A shared field.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the runs and what they would store.")] = False,
    as_json: AsJson = False,
) -> None:
    """Submit a run for each combination of values and seeds."""
    from cli.sweep import described_sweep
    from cli.sweep import submit as send

    with server_asked() as server:
        asked = described_sweep(file, settings or [], over or [], seeds, name)
        send(server, asked, dry_run=dry_run, as_json=as_json)


@app.command()
def extend(run: RunId, epochs: Annotated[int, typer.Argument(min=1, help="Epochs in all.")]) -> None:
    """Train a completed run on, from its last checkpoint."""
    from cli.control import extend as extend_run

    with server_asked() as server:
        extend_run(server, run, epochs)


@app.command()
def workers(as_json: AsJson = False) -> None:
    """List the workers: their machines, how busy these are, and what they train."""
    from cli.control import list_workers

    with server_asked() as server:
        list_workers(server, as_json)


@app.command()
def queue(as_json: AsJson = False) -> None:
    """List the runs that wait, in their order, and why each does."""
    from cli.control import list_queue

    with server_asked() as server:
        list_queue(server, as_json)


@app.command()
def gc(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False) -> None:
    """Remove files of runs that are deleted; run it where the database and the files can be reached."""
    from cli.control import remove_orphans

    remove_orphans(dry_run)


def _command(name: str, does: str) -> None:
    """Add `pathscope <name> ID`, which asks the server for just that."""

    def ask(run: RunId) -> None:
        from cli.control import command

        with server_asked() as server:
            command(server, run, name)

    app.command(name, help=does)(ask)


_command("pause", "Put a run aside; a running one writes a checkpoint and frees its worker.")
_command("activate", "Queue a paused run again; it goes on where it stood.")
_command("retry", "Queue a failed or cancelled run again, from its last checkpoint; lost attempts count from 0.")
_command("delete", "Delete a finished run with everything that it recorded.")


def _place(host: str | None, port: int | None) -> tuple[str, int]:
    from backend.settings import settings

    return host or settings().host, port or settings().port


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
