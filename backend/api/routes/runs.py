"""Submit, list, look up, cancel and delete runs."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.api.deps import CONFLICT, INVALID, NOT_FOUND, Reading, RunId, Writing
from backend.schemas import RunOut, RunPage, RunSpec, RunStatus
from backend.services import runs

router = APIRouter(prefix="/runs", tags=["runs"])


class RunsQuery(BaseModel):
    """Which runs to list; filters combine with and."""

    model_config = ConfigDict(extra="forbid")

    status: RunStatus | None = None
    net: str | None = Field(default=None, max_length=200)
    dataset: str | None = Field(default=None, max_length=200)
    tag: str | None = Field(default=None, max_length=100)
    sort: runs.RunSort = runs.RunSort.NEWEST
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=1000, description="next_cursor of the page before")


@router.post(
    "",
    status_code=201,
    responses={200: {"model": RunOut, "description": "the key's run, made earlier"}} | CONFLICT | INVALID,
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


@router.get("", responses=INVALID)
def list_runs(query: Annotated[RunsQuery, Query()], session: Reading) -> RunPage:
    """One page of runs."""
    return runs.list_runs(session, **dict(query))


@router.get("/{run_id}", responses=NOT_FOUND | INVALID)
def get_run(run_id: RunId, session: Reading) -> RunOut:
    """One run: what was asked, and how far it is."""
    return runs.get_run(session, run_id)


@router.post("/{run_id}/cancel", responses=NOT_FOUND | CONFLICT | INVALID)
def cancel_run(run_id: RunId, session: Writing) -> RunOut:
    """Cancel a run that waits, or ask the trainer of a running one to stop; what it recorded stays."""
    return runs.cancel(session, run_id)


@router.delete("/{run_id}", status_code=204, responses=NOT_FOUND | CONFLICT | INVALID)
def delete_run(run_id: RunId, session: Writing) -> None:
    """Delete a finished run with everything it recorded."""
    runs.delete(session, run_id)
