"""Submit many runs at once, look them up and cancel them together."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from backend.api.deps import CONFLICT, INVALID, NOT_FOUND, SUBMISSION, TOO_MANY, Reading, Writing
from backend.services import sweeps
from backend.sweeps import SweepOut, SweepPlan, SweepSpec

router = APIRouter(prefix="/sweeps", tags=["sweeps"])

SweepId = Annotated[int, Path(ge=1, lt=2**53, description="the sweep's number")]


@router.post("", status_code=201, responses=CONFLICT | INVALID | TOO_MANY, dependencies=[SUBMISSION])
def submit_sweep(asked: SweepSpec, session: Writing, request: Request, response: Response) -> SweepOut:
    """Queue a run for each combination of values and seeds: all of them, or none where one is not valid."""
    sweep = sweeps.submit(session, asked)
    response.headers["Location"] = request.url_for("get_sweep", sweep_id=sweep.id).path
    return sweep


@router.post("/plan", responses=INVALID)
def plan_sweep(asked: SweepSpec) -> SweepPlan:
    """The runs that a sweep would make and how many bytes they would store; nothing is submitted."""
    return sweeps.plan(asked)


@router.get("")
def list_sweeps(session: Reading) -> list[SweepOut]:
    """The newest hundred sweeps, newest first."""
    return sweeps.list_sweeps(session)


@router.get("/{sweep_id:int}", responses=NOT_FOUND | INVALID)
def get_sweep(sweep_id: SweepId, session: Reading) -> SweepOut:
    """One sweep: what was asked, its runs, and how many of them are in each state."""
    return sweeps.get_sweep(session, sweep_id)


@router.post("/{sweep_id}/cancel", responses=NOT_FOUND | INVALID)
def cancel_sweep(sweep_id: SweepId, session: Writing) -> SweepOut:
    """Cancel every run of the sweep that has not ended."""
    return sweeps.cancel(session, sweep_id)
