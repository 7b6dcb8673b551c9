"""Submit runs and look them up. Lists of them: `services.run_list`; what is done to them later: `commands`."""

import json
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from backend import access, catalogue, queue, run_limits
from backend.errors import Conflict, NotFound
from backend.models import Recording, Run, RunTag
from backend.run_states import possible
from backend.schemas import Progress, Recorded, RecordingOut, RunOut, RunSpec, RunStatus, TokenScope
from backend.services.events import add_event
from backend.settings import settings


def submit(
    session: Session, spec: RunSpec, idempotency_key: str | None = None, sweep_id: int | None = None
) -> tuple[RunOut, bool]:
    """Queue a run; (the run, whether it is new).

    The same key with the same spec gives the run of the first time, whatever became of it. Raises InvalidInput where
    nets, datasets or the operator's limits do not allow the spec, Conflict where the key stands for another spec or too
    many runs wait, Forbidden.
    """
    access.require(TokenScope.SUBMIT)
    run_limits.check(spec)
    if idempotency_key is not None:
        same_key = select(Run).where(Run.idempotency_key == idempotency_key).options(selectinload(Run.tags))
        known = session.scalar(same_key)
        if known is not None:
            return _same_run(known, spec, idempotency_key), False
    _check_queue(session)
    run = Run(
        name=spec.name or f"{spec.net} on {spec.dataset.removeprefix(catalogue.IMAGE_FOLDER)}",
        net=spec.net,
        dataset=spec.dataset,
        spec=spec.model_dump(mode="json"),
        notes=spec.notes,
        status=RunStatus.QUEUED,
        attempt=0,
        lost_attempts=0,
        last_event=0,
        priority=spec.priority.rank,
        device=spec.device,
        sweep_id=sweep_id,
        idempotency_key=idempotency_key,
        submitted_digest=_digest(spec) if idempotency_key is not None else None,
        submitted_by=access.actor().name,
        tags=[RunTag(tag=tag) for tag in spec.tags],
    )
    session.add(run)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(
            f"Idempotency-Key {idempotency_key!r} is being used by another request; send this one again"
        ) from error
    add_event(session, run, "status", {"status": RunStatus.QUEUED})
    session.flush()
    queue.enqueue_run(session, run.id, run.device)
    return run_out(run, None), True


def _check_queue(session: Session) -> None:
    """Raises Conflict where too many runs of the same token wait already."""
    name, most = access.actor().name, settings().max_queued_runs
    waiting = select(func.count()).where(Run.status == RunStatus.QUEUED, Run.submitted_by == name)
    count = session.scalar(waiting) or 0
    if count >= most:
        raise Conflict(f"{count} of your runs wait already, and at most {most} may (PATHSCOPE_MAX_QUEUED_RUNS)")


def _same_run(known: Run, spec: RunSpec, idempotency_key: str) -> RunOut:
    submitted = known.submitted_digest or _digest(RunSpec.model_validate(known.spec))
    if submitted != _digest(spec):
        raise Conflict(f"Idempotency-Key {idempotency_key!r} was used for another spec (run {known.id})")
    return run_out(known, None)


def _digest(spec: RunSpec) -> str:
    """The same for equal specs, and in later versions as well, whose new fields have defaults."""
    return sha256(json.dumps(spec.model_dump(mode="json", exclude_defaults=True), sort_keys=True).encode()).hexdigest()


def get_run(session: Session, run_id: int) -> RunOut:
    """Raises NotFound."""
    row = session.execute(with_last(select(Run)).where(Run.id == run_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return run_out(row[0], row[1])


def check_run(session: Session, run_id: int) -> None:
    """Raises NotFound unless there is such a run."""
    if session.scalar(select(Run.id).where(Run.id == run_id)) is None:
        raise NotFound(f"there is no run {run_id}")


def status_and_progress(session: Session, run_id: int) -> tuple[RunStatus, Progress | None]:
    """How far the run is; cheaper than all of it. Raises NotFound."""
    row = session.execute(select(Run.status, Run.progress).where(Run.id == run_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return row.status, Progress.model_validate(row.progress) if row.progress else None


def recorded_quantities(session: Session, run_id: int) -> list[Recorded]:
    """What the run records; cheaper than its whole spec. Raises NotFound."""
    found = session.scalar(select(Run.spec["quantities"]).where(Run.id == run_id))
    if found is None:
        raise NotFound(f"there is no run {run_id}")
    return [Recorded(quantity) for quantity in found]


def changed_since(session: Session, since: datetime | None) -> dict[int, datetime]:
    """When each run changed last, of those that changed at `since` or later; of all without it."""
    query = select(Run.id, Run.updated_at)
    if since is not None:
        query = query.where(Run.updated_at >= since)
    return {row.id: row.updated_at for row in session.execute(query)}


def count_runs(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Run)) or 0


def with_last(query: Select[Run]) -> Select[Run, Recording | None]:
    """The query with what `run_out` needs of each run."""
    newest = (Recording.run_id == Run.id) & (Recording.t == Run.last_recording)
    return query.options(selectinload(Run.tags)).add_columns(Recording).outerjoin(Recording, newest)


def run_out(run: Run, last: Recording | None) -> RunOut:
    cancelling, pausing = run.cancel_requested_at is not None, run.pause_requested_at is not None
    return RunOut(
        id=run.id,
        name=run.name,
        status=run.status,
        reason=run.reason,
        spec=RunSpec.model_validate(run.spec),
        tags=tuple(sorted(one.tag for one in run.tags)),
        notes=run.notes,
        attempt=run.attempt,
        lost_attempts=run.lost_attempts,
        worker=run.worker,
        submitted_by=run.submitted_by,
        sweep=run.sweep_id,
        cancel_requested=cancelling,
        pause_requested=pausing,
        possible=possible(run.status, cancelling=cancelling, pausing=pausing),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        updated_at=run.updated_at,
        progress=Progress.model_validate(run.progress) if run.progress else None,
        last=RecordingOut.model_validate(last) if last else None,
    )
