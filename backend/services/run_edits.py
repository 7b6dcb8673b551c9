"""What of a run can be changed after it was submitted: its name, tags and notes. Its spec stays as it was."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.errors import FieldError, InvalidInput
from backend.models import RunTag, now
from backend.schemas import RunEdit, RunOut
from backend.services.runs import get_run
from backend.services.transitions import locked_run

MAX_TAGS = 20


def edit(session: Session, run_id: int, change: RunEdit) -> RunOut:
    """The run after the change. Raises NotFound."""
    run = locked_run(session, run_id)
    run.name = run.name if change.name is None else change.name
    run.notes = run.notes if change.notes is None else change.notes
    if change.tags is not None:
        _set_tags(session, run_id, change.tags)
    run.updated_at = now()
    session.flush()
    session.expire_all()
    return get_run(session, run_id)


def retag(session: Session, run_ids: Sequence[int], add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    """Give tags to runs and take tags away; one that is there already, or is not, is no error.

    Raises NotFound, and InvalidInput where a run would get too many.
    """
    for run_id in sorted(run_ids):
        run = locked_run(session, run_id)
        known = set(session.scalars(select(RunTag.tag).where(RunTag.run_id == run_id)))
        _set_tags(session, run_id, sorted((known | set(add)) - set(remove)))
        run.updated_at = now()
    session.flush()


def _set_tags(session: Session, run_id: int, tags: Sequence[str]) -> None:
    if len(set(tags)) > MAX_TAGS:
        message = f"run {run_id} would have {len(set(tags))} tags; at most {MAX_TAGS} are allowed"
        raise InvalidInput([FieldError("tags", list(tags), message)])
    session.execute(delete(RunTag).where(RunTag.run_id == run_id))
    session.add_all(RunTag(run_id=run_id, tag=tag) for tag in dict.fromkeys(tags))
