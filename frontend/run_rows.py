"""The rows of the table of runs: asked of the services, and said in the words of the table."""

from contextlib import suppress
from typing import Any

from backend.catalogue import IMAGE_FOLDER
from backend.db import read_scope, session_scope
from backend.errors import NotFound
from backend.schemas import RunOut, RunSpec
from backend.services import runs
from frontend.components.run_status import progress_share, progress_text, status_text

SHOWN_RUNS = 2000
_PAGE = 500


def all_rows() -> list[dict[str, Any]]:
    """A row for each of the newest `SHOWN_RUNS` runs, newest first."""
    found: list[RunOut] = []
    cursor = None
    with read_scope() as session:
        while len(found) < SHOWN_RUNS:
            page = runs.list_runs(session, limit=_PAGE, cursor=cursor)
            found += page.runs
            cursor = page.next_cursor
            if cursor is None:
                break
    return [row(run) for run in found]


def rows_of(run_ids: list[int]) -> list[dict[str, Any]]:
    """Rows for those of the runs that exist."""
    found = []
    with read_scope() as session:
        for run_id in run_ids:
            try:
                found.append(row(runs.get_run(session, run_id)))
            except NotFound:
                continue
    return found


def spec_of(run_id: int) -> RunSpec:
    """Raises NotFound."""
    with read_scope() as session:
        return runs.get_run(session, run_id).spec


def submit(spec: RunSpec) -> int:
    """Queue a run and give its id. Raises InvalidInput."""
    with session_scope() as session:
        return runs.submit(session, spec)[0].id


def cancel(run_ids: list[int]) -> None:
    """Cancel each run. Raises Conflict for the first that has ended meanwhile."""
    for run_id in run_ids:
        with session_scope() as session:
            runs.cancel(session, run_id)


def delete(run_ids: list[int]) -> None:
    """Delete each run with its files; one that is gone already is no error. Raises Conflict for one that runs."""
    for run_id in run_ids:
        with suppress(NotFound), session_scope() as session:
            runs.delete(session, run_id)


def row(run: RunOut) -> dict[str, Any]:
    """What the table shows of a run; times are RFC 3339, shares 0 to 1.

    `progress_key` sorts by share and differs whenever the progress cell has to be drawn again.
    """
    share = progress_share(run.status, run.progress)
    progress = run.reason or progress_text(run.status, run.progress)
    return {
        "id": run.id,
        "key": str(run.id),
        "status": run.status.value,
        "status_text": status_text(run.status, run.cancel_requested),
        "name": run.name,
        "net": run.spec.net,
        "dataset": run.spec.dataset.removeprefix(IMAGE_FOLDER),
        "tags": " ".join(run.spec.tags),
        "share": share,
        "progress": progress,
        "progress_key": f"{share:.4f} {run.status} {progress}",
        "train_accuracy": run.last.train_accuracy if run.last else None,
        "test_accuracy": run.last.test_accuracy if run.last else None,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "can_cancel": not run.status.finished and not run.cancel_requested,
        "can_delete": run.status.finished,
    }
