"""How runs and numbers look in a terminal."""

from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from backend.schemas import RecordingOut, RunOut, RunStatus

_COLOURS = {
    RunStatus.QUEUED: "yellow",
    RunStatus.RUNNING: "cyan",
    RunStatus.PAUSED: "magenta",
    RunStatus.COMPLETED: "green",
    RunStatus.FAILED: "red",
    RunStatus.CANCELLED: "dim",
}


def duration(seconds: float) -> str:
    """Seconds as `12 s`, `3:05` or `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def moment(time: datetime | None) -> str:
    """The time in this machine's zone."""
    return "-" if time is None else f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def runs_table(runs: list[RunOut]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Id", justify="right")
    for heading in ("Status", "Name", "Net", "Dataset"):
        table.add_column(heading, overflow="fold")
    for heading in ("Epoch", "Test accuracy", "Started", "Duration"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        table.add_row(
            str(run.id),
            status(run),
            Text(run.name),
            run.spec.net,
            run.spec.dataset,
            _epoch(run),
            percent(run.last.test_accuracy if run.last else None),
            moment(run.started_at),
            _took(run),
        )
    return table


def status(run: RunOut) -> Text:
    return Text(run.status.value, style=_COLOURS[run.status])


def run_details(run: RunOut) -> Table:
    """Everything about one run, a line each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("Run", str(run.id))
    table.add_row("Name", Text(run.name))
    table.add_row("Status", status(run))
    if run.reason:
        table.add_row("Reason", Text(run.reason))
    table.add_row("Net", run.spec.net)
    table.add_row("Dataset", run.spec.dataset)
    table.add_row("Tags", Text(", ".join(run.tags) or "-"))
    table.add_row("Epoch", _epoch(run))
    table.add_row("Created", moment(run.created_at))
    table.add_row("Started", moment(run.started_at))
    table.add_row("Finished", moment(run.finished_at))
    table.add_row("Duration", _took(run))
    table.add_row("Worker", run.worker or "-")
    if run.submitted_by:
        table.add_row("Submitted by", run.submitted_by)
    return table


def recordings_table(recordings: list[RecordingOut]) -> Table:
    headings = ("t", "Epoch", "Step", "Learning rate", "Train loss", "Train accuracy", "Test loss", "Test accuracy")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right")
    for recording in recordings:
        table.add_row(
            str(recording.t),
            f"{recording.epoch:g}",
            str(recording.step),
            number(recording.lr),
            number(recording.train_loss),
            percent(recording.train_accuracy),
            number(recording.test_loss),
            percent(recording.test_accuracy),
        )
    return table


def _epoch(run: RunOut) -> str:
    done = run.progress.epoch if run.progress else 0
    return f"{done:.0f} of {run.spec.epochs}"


def _took(run: RunOut) -> str:
    if run.started_at is None:
        return "-"
    return duration(((run.finished_at or datetime.now(UTC)) - run.started_at).total_seconds())
