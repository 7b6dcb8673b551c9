"""Follows a run to its end: bars on a terminal, a line per recording elsewhere."""

import time
from collections.abc import Iterator

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from backend.schemas import RecordingOut, RunOut, RunStatus
from cli.client import NoAnswer, Server
from cli.console import RUN_NOT_COMPLETED, CliError, out, say
from cli.tables import duration, percent

_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0


def watch(server: Server, run_id: int) -> None:
    """Show how far the run is until it ends. Raises CliError where it does not complete."""
    run = _show_bar(server, run_id) if out.is_terminal else _print_recordings(server, run_id)
    if run.status is not RunStatus.COMPLETED:
        why = f": {run.reason}" if run.reason else ""
        raise CliError(f"run {run_id} {_ended(run.status)}{why}", RUN_NOT_COMPLETED)
    say(f"Run {run_id} completed{f', {_accuracies(run.last)}' if run.last else ''}.")


def _show_bar(server: Server, run_id: int) -> RunOut:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[more]}"))
    with Progress(*columns, console=out, transient=True) as bars:
        bar = bars.add_task("queued", total=None, more="")
        for run in _states(server, run_id):
            progress = run.progress
            if run.status is RunStatus.RUNNING and progress:
                bars.update(bar, description=progress.phase, completed=progress.step, total=progress.steps or None)
            else:
                bars.update(bar, description=run.status.value)
            bars.update(bar, more=_more(run))
    return run


def _more(run: RunOut) -> str:
    progress = run.progress
    if run.status is RunStatus.QUEUED or not progress:
        return "waiting for a worker" if run.status is RunStatus.QUEUED else ""
    parts = [f"epoch {progress.epoch:.1f} of {progress.epochs}"]
    if progress.images_per_second:
        parts.append(f"{progress.images_per_second:,.0f} images/s")
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    if run.last:
        parts.append(_accuracies(run.last))
    return ", ".join(parts)


def _print_recordings(server: Server, run_id: int) -> RunOut:
    known = None
    for run in _states(server, run_id):
        if run.last and run.last.t != known:
            known = run.last.t
            say(f"recording {run.last.t}, epoch {run.last.epoch:g}: {_accuracies(run.last)}")
    return run


def _states(server: Server, run_id: int) -> Iterator[RunOut]:
    """The run twice a second, the last time when it has ended; a server that is away for a while is waited for."""
    silent_since = None
    while True:
        try:
            run = RunOut.model_validate(server.get(f"/runs/{run_id}"))
        except NoAnswer:
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > _PATIENCE_SECONDS:
                raise
        else:
            silent_since = None
            yield run
            if run.status.finished:
                return
        time.sleep(_POLL_SECONDS)


def _ended(status: RunStatus) -> str:
    return "was cancelled" if status is RunStatus.CANCELLED else status.value


def _accuracies(recording: RecordingOut) -> str:
    return f"train accuracy {percent(recording.train_accuracy)}, test accuracy {percent(recording.test_accuracy)}"
