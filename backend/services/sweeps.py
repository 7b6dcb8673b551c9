"""Sweeps: many runs submitted at once, told of together, and cancelled together."""

from copy import deepcopy
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import catalogue, run_limits
from backend.errors import FieldError, InvalidInput, NotFound
from backend.estimate import run_size
from backend.models import Run, Sweep
from backend.run_states import RunCommand, RunStatus, possible
from backend.schemas import RunSpec
from backend.services import commands, runs
from backend.settings import settings
from backend.sweeps import Change, PlannedRun, SweepOut, SweepPlan, SweepSpec, described

TOLD_ERRORS = 20


def submit(session: Session, asked: SweepSpec) -> SweepOut:
    """Queue a run for each combination, all in this transaction. Raises InvalidInput, naming combination and field."""
    specs = specs_of(asked)
    sweep = Sweep(name=asked.name or _stem(specs[0], asked), request=asked.model_dump(mode="json"))
    session.add(sweep)
    session.flush()
    for spec in specs:
        runs.submit(session, spec, sweep_id=sweep.id)
    return get_sweep(session, sweep.id)


def plan(asked: SweepSpec) -> SweepPlan:
    """What would be submitted, and how much all of it would store. Raises InvalidInput."""
    planned = [
        PlannedRun(name=spec.name, change=change, total_bytes=run_size(spec).total_bytes)
        for spec, change in zip(specs_of(asked), asked.changes(), strict=True)
    ]
    sizes = [run.total_bytes for run in planned]
    known = [size for size in sizes if size is not None]
    return SweepPlan(runs=planned, total_bytes=sum(known) if len(known) == len(sizes) else None)


def specs_of(asked: SweepSpec) -> list[RunSpec]:
    """The spec of each combination. Raises InvalidInput."""
    most = settings().max_sweep_runs
    if asked.count > most:
        message = f"these are {asked.count} combinations; a sweep makes at most {most} runs"
        raise InvalidInput([FieldError("grid", asked.count, message)])
    if asked.seeds is not None and "seed" in asked.grid:
        raise InvalidInput([FieldError("seeds", list(asked.seeds), "the grid has seeds as well; give them once")])
    specs, errors = [], list[FieldError]()
    for change in asked.changes():
        try:
            specs.append(_spec(asked, change))
        except ValidationError as error:
            found = (FieldError(".".join(map(str, e["loc"])), e.get("input"), e["msg"]) for e in error.errors())
            errors += [_placed(asked, change, one) for one in found]
        except InvalidInput as error:
            errors += [_placed(asked, change, one) for one in error.errors]
    if errors:
        more = len(errors) - TOLD_ERRORS
        last = [FieldError("grid", None, f"{more} more combinations and fields are wrong")] if more > 0 else []
        raise InvalidInput(errors[:TOLD_ERRORS] + last)
    return specs


def list_sweeps(session: Session, limit: int = 100) -> list[SweepOut]:
    """The newest sweeps, newest first."""
    return [_out(session, sweep) for sweep in session.scalars(select(Sweep).order_by(Sweep.id.desc()).limit(limit))]


def get_sweep(session: Session, sweep_id: int) -> SweepOut:
    """Raises NotFound."""
    sweep = session.get(Sweep, sweep_id)
    if sweep is None:
        raise NotFound(f"there is no sweep {sweep_id}")
    return _out(session, sweep)


def cancel(session: Session, sweep_id: int) -> SweepOut:
    """Cancel every run of the sweep that has not ended. Raises NotFound."""
    get_sweep(session, sweep_id)
    # Locked in this order by every sweep and every bulk command, so that none waits for another in a circle.
    members = select(Run).where(Run.sweep_id == sweep_id).order_by(Run.id).with_for_update()
    for run in session.scalars(members).all():
        if RunCommand.CANCEL in possible(run.status, cancelling=run.cancel_requested_at is not None):
            commands.cancel(session, run.id)
    return get_sweep(session, sweep_id)


def _spec(asked: SweepSpec, change: Change) -> RunSpec:
    request = deepcopy(asked.base)
    for field, value in change.items():
        _put(request, field, value)
    spec = RunSpec.model_validate(request)
    run_limits.check(spec)
    words = [_stem(spec, asked), described(change)]
    return spec.model_copy(update={"name": " · ".join(word for word in words if word)[:200]})


def _stem(spec: RunSpec, asked: SweepSpec) -> str:
    return asked.name or asked.base.get("name") or f"{spec.net} on {spec.dataset.removeprefix(catalogue.IMAGE_FOLDER)}"


def _put(request: dict[str, Any], field: str, value: Any) -> None:
    *parents, last = field.split(".")
    for parent in parents:
        request = request.setdefault(parent, {})
        if not isinstance(request, dict):
            raise InvalidInput([FieldError(field, value, f"{parent} of the base holds {request!r}, no fields")])
    request[last] = value


def _placed(asked: SweepSpec, change: Change, error: FieldError) -> FieldError:
    """The error with the place in the sweep that it comes from, and the combination that has it."""
    dotted = f"{error.field}."
    axis = next((axis for axis in asked.axes if dotted.startswith(f"{axis}.")), None)
    if axis is None and error.field not in asked.base:
        # The field is there only because a value of the grid is to stand in it.
        axis = next((axis for axis in asked.axes if axis.startswith(dotted)), None)
    at = f"base.{error.field}" if axis is None else f"grid.{axis}" if axis in asked.grid else "seeds"
    where = f"with {described(change)}: " if change else ""
    return FieldError(at, error.value, f"{where}{error.message.removeprefix('Value error, ')}")


def _out(session: Session, sweep: Sweep) -> SweepOut:
    rows = session.execute(select(Run.id, Run.status).where(Run.sweep_id == sweep.id).order_by(Run.id)).all()
    return SweepOut(
        id=sweep.id,
        name=sweep.name,
        created_at=sweep.created_at,
        request=SweepSpec.model_validate(sweep.request),
        runs=[run_id for run_id, _ in rows],
        counts={status: count for status in RunStatus if (count := sum(found is status for _, found in rows))},
    )
