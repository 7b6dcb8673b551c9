"""What a user does with runs: submit, look up, cancel, delete."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlakeyset import BadBookmark, InvalidPage, Page, PageSerializationError, select_page
from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend import artifacts, catalogue, queue
from backend.db import on_commit
from backend.errors import Conflict, FieldError, InvalidInput, NotFound
from backend.models import Recording, Run, RunTag, now
from backend.schemas import Progress, RecordingOut, RunOut, RunPage, RunSpec, RunStatus
from backend.services.events import add_event


class RunSort(StrEnum):
    NEWEST = "-created_at"
    OLDEST = "created_at"
    NAME = "name"
    NET = "net"
    DATASET = "dataset"
    STATUS = "status"


_ORDER = {
    RunSort.NEWEST: (Run.id.desc(),),
    RunSort.OLDEST: (Run.id,),
    RunSort.NAME: (Run.name, Run.id),
    RunSort.NET: (Run.net, Run.id),
    RunSort.DATASET: (Run.dataset, Run.id),
    RunSort.STATUS: (Run.status, Run.id),
}


def submit(session: Session, spec: RunSpec, idempotency_key: str | None = None) -> tuple[RunOut, bool]:
    """Queue a run; (the run, whether it is new). The same key with the same spec gives the run of the first time.

    Raises InvalidInput where nets and datasets do not allow the spec, Conflict where the key stands for another spec.
    """
    catalogue.check(spec)
    if idempotency_key is not None:
        known = session.scalar(select(Run).where(Run.idempotency_key == idempotency_key))
        if known is not None:
            return _same_run(known, spec, idempotency_key), False
    run = Run(
        name=spec.name or f"{spec.net} on {spec.dataset.removeprefix(catalogue.IMAGE_FOLDER)}",
        net=spec.net,
        dataset=spec.dataset,
        spec=spec.model_dump(mode="json"),
        status=RunStatus.QUEUED,
        attempt=0,
        last_event=0,
        idempotency_key=idempotency_key,
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
    queue.enqueue_run(session, run.id)
    return _out(run, None), True


def _same_run(known: Run, spec: RunSpec, idempotency_key: str) -> RunOut:
    if RunSpec.model_validate(known.spec) != spec:
        raise Conflict(f"Idempotency-Key {idempotency_key!r} was used for another spec (run {known.id})")
    return _out(known, None)


def list_runs(
    session: Session,
    *,
    status: RunStatus | None = None,
    net: str | None = None,
    dataset: str | None = None,
    tag: str | None = None,
    sort: RunSort = RunSort.NEWEST,
    limit: int = 50,
    cursor: str | None = None,
) -> RunPage:
    """One page of the runs that fit every filter. Raises InvalidInput for a cursor that is not ours."""
    query = _with_last(select(Run)).order_by(*_ORDER[sort])
    for column, value in ((Run.status, status), (Run.net, net), (Run.dataset, dataset)):
        if value is not None:
            query = query.where(column == value)
    if tag is not None:
        query = query.where(Run.id.in_(select(RunTag.run_id).where(RunTag.tag == tag)))
    try:
        # its types are those of SQLAlchemy 2.0, where a row of several columns was one tuple
        page: Page[Any] = select_page(session, query, per_page=limit, page=cursor)  # type: ignore[arg-type]
    except (BadBookmark, InvalidPage, PageSerializationError, ValueError) as error:
        message = "not a cursor of this listing; take it from next_cursor, with the same sort"
        raise InvalidInput([FieldError("cursor", cursor, message)]) from error
    return RunPage(
        runs=[_out(row[0], row[1]) for row in page],
        next_cursor=page.paging.bookmark_next if page.paging.has_next else None,
    )


def get_run(session: Session, run_id: int) -> RunOut:
    """Raises NotFound."""
    row = session.execute(_with_last(select(Run)).where(Run.id == run_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return _out(row[0], row[1])


def changed_since(session: Session, since: datetime | None) -> dict[int, datetime]:
    """When each run changed last, of those that changed at `since` or later; of all without it."""
    query = select(Run.id, Run.updated_at)
    if since is not None:
        query = query.where(Run.updated_at >= since)
    return dict(session.execute(query).tuples().all())


def count_runs(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Run)) or 0


def cancel(session: Session, run_id: int) -> RunOut:
    """Cancel at once a run that waits; ask the trainer of one that runs. A cancelled run stays so: no error.

    Raises NotFound, and Conflict for a run that has completed or failed.
    """
    run = locked_run(session, run_id)
    if run.status in (RunStatus.COMPLETED, RunStatus.FAILED):
        raise Conflict(f"run {run_id} is {run.status} and cannot be cancelled")
    if run.status is RunStatus.QUEUED:
        finish(session, run, RunStatus.CANCELLED, None)
    elif run.status is RunStatus.RUNNING and run.cancel_requested_at is None:
        run.cancel_requested_at = now()
    session.flush()
    return get_run(session, run_id)


def delete(session: Session, run_id: int) -> None:
    """Remove a finished run, its rows at once and its files after the commit. Raises NotFound, Conflict."""
    run = locked_run(session, run_id)
    if not run.status.finished:
        raise Conflict(f"run {run_id} is {run.status}; cancel it first, then delete it")
    session.delete(run)
    on_commit(session, lambda: artifacts.delete_run(run_id))


def locked_run(session: Session, run_id: int) -> Run:
    """The row, held until the transaction ends. Raises NotFound."""
    run = session.scalar(select(Run).where(Run.id == run_id).with_for_update())
    if run is None:
        raise NotFound(f"there is no run {run_id}")
    return run


def finish(session: Session, run: Run, status: RunStatus, reason: str | None) -> None:
    """Write the end of a run whose row this transaction holds."""
    run.status, run.reason, run.finished_at = status, reason, now()
    run.lease = None
    add_event(session, run, "status", {"status": status, "reason": reason})


def _with_last(query: Select[Run]) -> Select[Run, Recording | None]:
    newest = (Recording.run_id == Run.id) & (Recording.t == Run.last_recording)
    return query.add_columns(Recording).outerjoin(Recording, newest)


def _out(run: Run, last: Recording | None) -> RunOut:
    return RunOut(
        id=run.id,
        name=run.name,
        status=run.status,
        reason=run.reason,
        spec=RunSpec.model_validate(run.spec),
        attempt=run.attempt,
        worker=run.worker,
        cancel_requested=run.cancel_requested_at is not None,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        updated_at=run.updated_at,
        progress=Progress.model_validate(run.progress) if run.progress else None,
        last=RecordingOut.model_validate(last) if last else None,
    )
