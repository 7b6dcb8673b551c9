"""Submit, list, look up, cancel and delete runs."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.api.deps import CONFLICT, INVALID, NOT_FOUND, SUBMISSION, TOO_MANY, Reading, RunId, Writing
from backend.schemas import Priority, RunEdit, RunOut, RunPage, RunSpec, RunStatus, Tag
from backend.services import commands, run_edits, run_list, runs

router = APIRouter(prefix="/runs", tags=["runs"])


class RunsQuery(BaseModel):
    """Which runs to list; what is given combines with and."""

    model_config = ConfigDict(extra="forbid")

    status: RunStatus | None = None
    net: str | None = Field(default=None, max_length=200)
    dataset: str | None = Field(default=None, max_length=200)
    tag: str | None = Field(default=None, max_length=100)
    sweep: int | None = Field(default=None, ge=1, lt=2**53)
    filter: str | None = Field(
        default=None,
        max_length=2000,
        description="such as `net=resnet18 epochs>=50 tag:paper test_accuracy>0.9 name~foo`",
    )
    sort: str = Field(default=run_list.NEWEST, max_length=100, description="a field of the filter; `-` first: falling")
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=1000, description="next_cursor of the page before")


class BulkRequest(BaseModel):
    """What to do to all of these runs, in one transaction."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Annotated[int, Field(ge=1, lt=2**53)]] = Field(min_length=1, max_length=500)
    action: commands.BulkAction
    tags: list[Tag] = Field(default=[], max_length=20, description="for tag and untag")
    priority: Priority | None = Field(default=None, description="for prioritise")


class BulkAnswer(BaseModel):
    runs: list[RunOut] = Field(description="the runs as they are now; empty after delete")


class Extension(BaseModel):
    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(ge=1, le=10_000, description="how many the run shall have in all")


@router.post(
    "",
    status_code=201,
    responses={200: {"model": RunOut, "description": "the key's run, made earlier"}} | CONFLICT | INVALID | TOO_MANY,
    dependencies=[SUBMISSION],
)
def submit_run(
    spec: RunSpec,
    session: Writing,
    request: Request,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> RunOut:
    """Queue a training run. The same `Idempotency-Key` with the same body gives the same run, with status 200."""
    run, new = runs.submit(session, spec, idempotency_key)
    response.status_code = 201 if new else 200
    response.headers["Location"] = request.url_for("get_run", run_id=run.id).path
    return run


@router.post("/bulk", responses=NOT_FOUND | CONFLICT | INVALID)
def change_runs(asked: BulkRequest, session: Writing) -> BulkAnswer:
    """Pause, activate, cancel, retry, delete, tag or prioritise runs: all of them, or none where one forbids it."""
    commands.bulk(session, asked.ids, asked.action, asked.tags, asked.priority)
    session.flush()
    gone = asked.action is commands.BulkAction.DELETE
    found = {} if gone else {run.id: run for run in run_list.runs_among(session, asked.ids)}
    return BulkAnswer(runs=[found[run_id] for run_id in dict.fromkeys(asked.ids) if not gone])


@router.get("", responses=INVALID)
def list_runs(query: Annotated[RunsQuery, Query()], session: Reading) -> RunPage:
    """One page of runs."""
    return run_list.list_runs(session, **dict(query))


@router.get("/{run_id:int}", responses=NOT_FOUND | INVALID)
def get_run(run_id: RunId, session: Reading) -> RunOut:
    """One run: what was asked, and how far it is."""
    return runs.get_run(session, run_id)


@router.patch("/{run_id:int}", responses=NOT_FOUND | INVALID)
def edit_run(run_id: RunId, edit: RunEdit, session: Writing) -> RunOut:
    """Change a run's name, tags or notes; the spec stays as it was submitted."""
    return run_edits.edit(session, run_id, edit)


@router.post("/{run_id:int}/cancel", responses=NOT_FOUND | CONFLICT | INVALID)
def cancel_run(run_id: RunId, session: Writing) -> RunOut:
    """Cancel a run that waits or is paused, or ask the trainer of a running one to stop; what it recorded stays."""
    return commands.cancel(session, run_id)


@router.post("/{run_id:int}/pause", responses=NOT_FOUND | CONFLICT | INVALID)
def pause_run(run_id: RunId, session: Writing) -> RunOut:
    """Put a run aside; a running one writes a checkpoint, ends its process and frees its worker."""
    return commands.pause(session, run_id)


@router.post("/{run_id:int}/activate", responses=NOT_FOUND | CONFLICT | INVALID)
def activate_run(run_id: RunId, session: Writing) -> RunOut:
    """Queue a paused run again; it goes on from its checkpoint."""
    return commands.activate(session, run_id)


@router.post("/{run_id:int}/retry", responses=NOT_FOUND | CONFLICT | INVALID)
def retry_run(run_id: RunId, session: Writing) -> RunOut:
    """Queue a failed or cancelled run again, from its last checkpoint where it has one; attempts count anew."""
    return commands.retry(session, run_id)


@router.post("/{run_id:int}/extend", responses=NOT_FOUND | CONFLICT | INVALID)
def extend_run(run_id: RunId, extension: Extension, session: Writing) -> RunOut:
    """Train a completed run on, up to `epochs` in all; milestones stay, a cosine or one_cycle cannot be extended."""
    return commands.extend(session, run_id, extension.epochs)


@router.delete("/{run_id:int}", status_code=204, responses=NOT_FOUND | CONFLICT | INVALID)
def delete_run(run_id: RunId, session: Writing) -> None:
    """Delete a finished run with everything it recorded."""
    commands.delete(session, run_id)
