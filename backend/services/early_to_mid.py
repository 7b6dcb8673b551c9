"""The early-to-mid ratio of runs: kept up to date with each recording, and read for one run or many."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.early_to_mid import EarlyToMid, PairMean, Ratio, early_to_mid
from backend.models import LayerSummary, Recording, Run, RunRatio
from backend.schemas import Measure, Quantity, RecordingOut, RunSpec
from backend.services.runs import get_run

__all__ = ["EarlyToMid", "Generalisation", "Ratio", "early_to_mid_of", "generalisation", "store_ratios"]


class Generalisation(NamedTuple):
    """How much better the net does on the images it trains on, at its newest recording, and its error on others."""

    recording: int | None
    train_accuracy: float | None
    test_accuracy: float | None
    error: float | None
    test_error: float | None


def store_ratios(session: Session, run: Run) -> None:
    """Compute the run's ratios anew from what it has recorded so far; the transaction must hold the run's row."""
    session.flush()
    session.execute(delete(RunRatio).where(RunRatio.run_id == run.id))
    for quantity, found in _compute(session, run.id, RunSpec.model_validate(run.spec)).items():
        layers = [{"k": k, **ratio._asdict()} for k, ratio in found.layers.items()]
        whole = found.over_layers._asdict()
        session.add(RunRatio(run_id=run.id, quantity=quantity, complete=found.complete, layers=layers, **whole))


def early_to_mid_of(session: Session, run_ids: Sequence[int]) -> dict[int, dict[Quantity, EarlyToMid]]:
    """The ratios of each run by quantity, in one query; of runs that recorded nothing yet they have only a reason.

    Raises NotFound for a run that there is not.
    """
    found: dict[int, dict[Quantity, EarlyToMid]] = {run_id: {} for run_id in run_ids}
    rows = session.scalars(select(RunRatio).where(RunRatio.run_id.in_(run_ids)).order_by(RunRatio.quantity))
    for row in rows:
        layers = {one["k"]: Ratio(*(one[name] for name in Ratio._fields)) for one in row.layers}
        whole = Ratio(row.early, row.mid, row.ratio, row.reason)
        found[row.run_id][row.quantity] = EarlyToMid(whole, layers, row.complete)
    for run_id in [run_id for run_id, stored in found.items() if not stored]:
        found[run_id] = _compute(session, run_id, get_run(session, run_id).spec)
    return found


def generalisation(last: RecordingOut | None) -> Generalisation:
    """Training accuracy minus test accuracy, both on all clean images, at the newest recording; None without it."""
    if last is None or last.train_accuracy is None or last.test_accuracy is None:
        return Generalisation(last.t if last else None, None, None, None, None)
    train, test = last.train_accuracy, last.test_accuracy
    return Generalisation(last.t, train, test, train - test, 1 - test)


def _compute(session: Session, run_id: int, spec: RunSpec) -> dict[Quantity, EarlyToMid]:
    columns = (LayerSummary.quantity, LayerSummary.k, Recording.epoch, LayerSummary.defined, LayerSummary.mean)
    query = (
        select(*columns)
        .join(Recording, (Recording.run_id == LayerSummary.run_id) & (Recording.t == LayerSummary.t))
        .where(LayerSummary.run_id == run_id, LayerSummary.measure == Measure.CROSS_PATH)
    )
    rows = session.execute(query).all()
    newest = select(Recording.epoch).where(Recording.run_id == run_id).order_by(Recording.t.desc()).limit(1)
    epoch = session.scalar(newest) or 0.0
    return {
        quantity: early_to_mid((PairMean(*row[1:]) for row in rows if Quantity(row[0]) is quantity), spec.decays, epoch)
        for quantity in spec.compared
    }
