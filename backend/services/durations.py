"""How long runs took, as far as that tells how long another one will take."""

from statistics import median
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.models import Recording, Run
from backend.run_states import RunStatus
from backend.schemas import RunSpec

NEWEST = 100


class Expected(NamedTuple):
    """Seconds of training and recording that a run may take, from the epochs of so many runs like it."""

    seconds: float
    runs: int


def expected(session: Session, spec: RunSpec) -> Expected | None:
    """The median over the newest completed runs like it, by their seconds for an epoch; None where there is none."""
    newest = (Recording.run_id == Run.id) & (Recording.t == Run.last_recording)
    query = (
        select(Run.spec, Recording.seconds, Recording.epoch)
        .join(Recording, newest)
        .where(Run.net == spec.net, Run.dataset == spec.dataset, Run.status == RunStatus.COMPLETED, Recording.epoch > 0)
        .order_by(Run.id.desc())
        .limit(NEWEST)
    )
    rows = [(RunSpec.model_validate(found), seconds / epoch) for found, seconds, epoch in session.execute(query)]
    paces = [pace for found, pace in rows if _alike(found, spec)]
    return Expected(median(paces) * spec.epochs, len(paces)) if paces else None


def _alike(one: RunSpec, other: RunSpec) -> bool:
    """Whether an epoch of both costs about as much: batches and quantities are equal, probes nearly so."""
    smaller, larger = sorted((one.probe.size, other.probe.size))
    same = one.batch_size == other.batch_size and one.devices == other.devices
    return same and set(one.quantities) == set(other.quantities) and larger <= 1.5 * smaller
