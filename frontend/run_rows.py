"""The rows of the table of runs: asked of the services, and said in the words of the table."""

from contextlib import suppress
from typing import Any, TypedDict

from pydantic import ValidationError

from backend import rate_limits
from backend.catalogue import IMAGE_FOLDER
from backend.db import read_scope, session_scope
from backend.errors import FieldError, InvalidInput, NotFound
from backend.run_states import RunCommand
from backend.schemas import RunEdit, RunOut, RunSpec
from backend.services import commands, run_edits, run_list, runs
from frontend.components.run_status import progress_share, progress_text, status_text

PAGE = 100


class Query(TypedDict):
    """What the address asks of the list; `cursor` is None on the first page."""

    filter: str
    sort: str
    cursor: str | None


class News(TypedDict):
    """Rows for the table. `asked` is None for a whole page, else the runs that the rows are the news of.

    `error` says what is wrong with the query; the table then stays as it was.
    """

    rows: list[dict[str, Any]]
    asked: list[int] | None
    matching: int | None
    next: str | None
    previous: str | None
    error: str | None


def page_of(query: Query) -> News:
    """One page of the runs that fit."""
    try:
        with read_scope() as session:
            page = run_list.list_runs(
                session, filter=query["filter"], sort=query["sort"], limit=PAGE, cursor=query["cursor"]
            )
    except InvalidInput as error:
        return _refused(error)
    return News(
        rows=[row(run) for run in page.runs],
        asked=None,
        matching=page.matching,
        next=page.next_cursor,
        previous=page.previous_cursor,
        error=None,
    )


def _refused(error: InvalidInput) -> News:
    wrong = " ".join(one.message for one in error.errors)
    return News(rows=[], asked=None, matching=None, next=None, previous=None, error=wrong[:1].upper() + wrong[1:])


def news_of(run_ids: list[int], query: Query) -> News:
    """Rows for those of the runs that fit."""
    try:
        with read_scope() as session:
            found = [row(run) for run in run_list.runs_among(session, run_ids, query["filter"])]
    except InvalidInput as error:
        return _refused(error)
    return News(rows=found, asked=run_ids, matching=None, next=None, previous=None, error=None)


def write_notes(run_id: int, notes: str) -> None:
    """Raises NotFound, InvalidInput."""
    try:
        change = RunEdit(notes=notes)
    except ValidationError as error:
        raise InvalidInput([FieldError("notes", notes[:50], error.errors()[0]["msg"])]) from error
    with session_scope() as session:
        run_edits.edit(session, run_id, change)


def retag(run_ids: list[int], add: list[str], remove: list[str]) -> None:
    """Raises NotFound, and InvalidInput for what cannot be a tag."""
    try:
        clean = RunEdit(tags=tuple(add)).tags or ()
    except ValidationError as error:
        wrong = error.errors()[0]
        raise InvalidInput(
            [FieldError("tags", wrong["input"], "a tag is one word without spaces or commas")]
        ) from error
    with session_scope() as session:
        run_edits.retag(session, run_ids, clean, remove)


def spec_of(run_id: int) -> RunSpec:
    """Raises NotFound."""
    with read_scope() as session:
        return runs.get_run(session, run_id).spec


def submit(spec: RunSpec) -> int:
    """Queue a run and give its id. Raises InvalidInput, Conflict, Forbidden, TooManyRequests."""
    rate_limits.count_submission()
    with session_scope() as session:
        return runs.submit(session, spec)[0].id


def cancel(run_ids: list[int]) -> None:
    """Cancel each run. Raises Conflict for the first that has ended meanwhile."""
    for run_id in run_ids:
        with session_scope() as session:
            commands.cancel(session, run_id)


def delete(run_ids: list[int]) -> None:
    """Delete each run with its files; one that is gone already is no error. Raises Conflict for one that runs."""
    for run_id in run_ids:
        with suppress(NotFound), session_scope() as session:
            commands.delete(session, run_id)


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
        "status_text": status_text(run.status, run.cancel_requested, run.pause_requested),
        "name": run.name,
        "net": run.spec.net,
        "dataset": run.spec.dataset.removeprefix(IMAGE_FOLDER),
        "tags": " ".join(run.tags),
        "sweep": run.sweep,
        "notes": run.notes,
        "epochs": run.spec.epochs,
        "seed": run.spec.seed,
        "lr": run.spec.optimiser.lr,
        "share": share,
        "progress": progress,
        "progress_key": f"{share:.4f} {run.status} {progress}",
        "train_accuracy": run.last.train_accuracy if run.last else None,
        "test_accuracy": run.last.test_accuracy if run.last else None,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "can_cancel": RunCommand.CANCEL in run.possible,
        "can_delete": RunCommand.DELETE in run.possible,
    }
