"""How a run's status and progress are said, the same on every page."""

from backend.schemas import Progress, RunStatus

_PHASES = {"starting": "starting", "loading": "loading the data", "recording": "recording", "finishing": "finishing"}


def status_text(status: RunStatus, cancel_requested: bool, pause_requested: bool) -> str:
    """The status in a word; of a run that is to stop, what it will be."""
    if status is RunStatus.RUNNING and cancel_requested:
        return "cancelling"
    return "pausing" if status is RunStatus.RUNNING and pause_requested else status.value


def progress_share(status: RunStatus, progress: Progress | None) -> float:
    """The part of a run that is done, 0 to 1."""
    if status is RunStatus.COMPLETED:
        return 1.0
    return min(progress.epoch / progress.epochs, 1.0) if progress and progress.epochs else 0.0


def progress_text(status: RunStatus, progress: Progress | None) -> str:
    """What the run is doing, for people: "epoch 7 of 20 · 12 s left"."""
    if status is RunStatus.QUEUED:
        return "waits for a worker"
    if progress is None:
        return ""
    epochs = f"epoch {_epoch(progress.epoch)} of {progress.epochs}" if progress.epochs else ""
    if status is not RunStatus.RUNNING:
        return epochs
    phase = _PHASES.get(progress.phase, "")
    left = f"{duration_text(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    return " · ".join(part for part in (epochs, phase, left) if part)


def duration_text(seconds: float) -> str:
    """A duration in its two largest units: "45 s", "3 min 20 s", "2 h 5 min", "4 d 1 h"."""
    whole = max(0, round(seconds))
    for size, unit, lower, lower_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // lower
            return f"{whole // size} {unit} {rest} {lower_unit}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def _epoch(epoch: float) -> str:
    return f"{epoch:.0f}" if float(epoch).is_integer() else f"{epoch:.1f}"
