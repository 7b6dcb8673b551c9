"""How a run stands: badge, progress, and what to do about it where it waits or has failed."""

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from backend.schemas import RunOut, RunStatus
from frontend.components.icons import icon
from frontend.components.run_status import progress_text, status_text

COLOURS = {
    RunStatus.QUEUED: "gray",
    RunStatus.RUNNING: "blue",
    RunStatus.PAUSED: "violet",
    RunStatus.COMPLETED: "teal",
    RunStatus.FAILED: "red",
    RunStatus.CANCELLED: "orange",
}
_PHASES = {
    "starting": "starting the trainer",
    "loading": "loading the data",
    "training": "training",
    "recording": "recording paths",
    "finishing": "finishing",
}


def status_badge(run: RunOut) -> Component:
    return dmc.Badge(
        status_text(run.status, run.cancel_requested, run.pause_requested),
        id="status-badge",
        color=COLOURS[run.status],
        variant="light",
        size="lg",
        leftSection=icon(run.status.value, size=12),
    )


def run_status(run: RunOut, why: str | None, compact: bool) -> list[Component]:
    """The badge with, below it, progress or what became of the run; `why` is why a queued one has not begun."""
    parts: list[Component] = []
    if run.status is RunStatus.RUNNING:
        parts.append(_progress(run))
    elif run.status is RunStatus.QUEUED:
        parts.append(_waiting(why or "about to start"))
    elif run.status is RunStatus.PAUSED:
        parts.append(_alert("This run is paused", _stood(run), "violet"))
    elif run.status is RunStatus.FAILED:
        parts.append(_alert("This run has failed", _failure(run, compact), "red"))
    elif run.status is RunStatus.CANCELLED and not compact:
        parts.append(_alert("This run was cancelled", "The recordings made until then are kept and shown.", "orange"))
    if run.status is RunStatus.COMPLETED and not compact and run.started_at and run.finished_at:
        took = duration((run.finished_at - run.started_at).total_seconds())
        parts.append(dmc.Text(f"Trained for {run.spec.epochs} epochs in {took}.", size="sm", c="dimmed"))
    return [dmc.Stack([status_badge(run), *parts], gap="xs")]


def _failure(run: RunOut, compact: bool) -> list[Component | str]:
    """The reason, and the way to what the trainer printed, which the run's page opens (assets/run_page.js)."""
    reason = _sentence(run.reason or "the trainer ended without saying why.")
    page = f"/runs/{run.id}" if compact else ""
    link = html.A("See the log of the trainer", href=f"{page}#run-log-details", className="notice-link")
    return [reason, " ", link]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def duration(seconds: float) -> str:
    """In words, to the second, the minute from an hour on."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _progress(run: RunOut) -> Component:
    progress = run.progress
    if progress is None or not progress.epochs:
        return dmc.Group([dmc.Loader(size="xs"), dmc.Text(_PHASES["starting"].capitalize(), size="sm")], gap="xs")
    share = 100 * progress.epoch / progress.epochs
    words = [_PHASES[progress.phase], f"epoch {progress.epoch:.1f} / {progress.epochs}"]
    if progress.images_per_second:
        words.append(f"{progress.images_per_second:,.0f} images/s")
    if progress.seconds_left is not None:
        words.append(f"{duration(progress.seconds_left)} left")
    return html.Div(
        [
            dmc.Progress(value=share, id="run-progress", size="md", animated=True, **{"aria-label": "Progress"}),
            dmc.Text(" · ".join(words), size="sm", c="dimmed", id="run-progress-text", mt=4),
        ],
        className="run-progress",
    )


def _waiting(why: str) -> Component:
    if not why.startswith("no worker"):
        return _alert("Waiting for its turn", f"{_sentence(why)}.", "gray")
    return _alert(
        _sentence(why),
        ["This run waits until one starts. On the machine that is to train: ", dmc.Code("pathscope worker")],
        "orange",
    )


def _stood(run: RunOut) -> str:
    where = progress_text(run.status, run.progress)
    return f"It stands at {where} and goes on from there once it is activated." if where else "It has not begun."


def _alert(title: str, text: object, colour: str) -> Component:
    return dmc.Alert(text, title=title, color=colour, variant="light", id="run-notice")
