"""What tells whether anything recorded of a run has changed."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import UTCDateTime
from backend.models import Recording, Run
from backend.services.runs import check_run


class RunVersion(NamedTuple):
    """Differs whenever the run has another spec, state or recording; `newest` is when one was last written."""

    attempt: int
    event: int
    newest: str


def version_of(session: Session, run_id: int) -> RunVersion:
    """In one query. Raises NotFound."""
    newest = select(func.max(Recording.created_at, type_=UTCDateTime)).where(Recording.run_id == run_id)
    row = session.execute(select(Run.attempt, Run.last_event, newest.scalar_subquery()).where(Run.id == run_id)).first()
    if row is None:
        check_run(session, run_id)
        return RunVersion(0, 0, "")
    return RunVersion(row[0], row[1], row[2].isoformat() if row[2] else "")
