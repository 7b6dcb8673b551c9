"""A run that was paused between two recordings, or extended, has recorded the same as one that was not, to the bit."""

import pytest
from sqlalchemy import select

from backend import artifacts
from backend.db import read_scope, session_scope
from backend.models import Answer, LayerArray, Projection, Recording
from backend.schemas import RunSpec, RunStatus
from backend.services import commands, leases, recordings, runs
from worker.reporter import Reporter
from worker.trainer import Stopped, Trainer

SPEC = {
    "net": "mlp",
    "dataset": "digits",
    "epochs": 3,
    "batch_size": 256,
    "lr_schedule": {"milestones": [1, 2]},
    "probe": {"count": 10},
    "quantities": ["path", "activation", "projection", "image_function"],
    "device": "cpu",
}


class Pausing(Reporter):
    """Pauses the run for good once it has trained so many steps, as a click would."""

    pause_at = None

    def trained(self, step, epoch, images):
        super().trained(step, epoch, images)
        if step == self.pause_at:
            self.pausing = True
            self.stop_asked.set()


def submit(**changed):
    with session_scope() as session:
        return runs.submit(session, RunSpec.model_validate(SPEC | changed))[0].id


def train(run_id, pause_at=None):
    with session_scope() as session:
        lease = leases.claim(session, run_id, "tests@here")
        spec = runs.get_run(session, run_id).spec
    with Pausing(lease) as reporter:
        reporter.pause_at = pause_at
        if pause_at:
            with pytest.raises(Stopped):
                Trainer(lease, spec, reporter).run()
            with session_scope() as session:
                leases.give_back(session, lease)
            return
        Trainer(lease, spec, reporter).run()
    with session_scope() as session:
        leases.end(session, lease, RunStatus.COMPLETED)


def recorded(run_id):
    """Every value that the run stored but for times and ids."""
    with read_scope() as session:
        rows = {
            table.__tablename__: [
                tuple(getattr(row, column.name) for column in table.__table__.c if column.name not in left_out)
                for row in session.scalars(
                    select(table).where(table.run_id == run_id).order_by(*table.__mapper__.primary_key)
                )
            ]
            for table, left_out in (
                (Recording, ("run_id", "seconds", "created_at", "attempt")),
                (LayerArray, ("run_id",)),
                (Projection, ("run_id",)),
                (Answer, ("run_id",)),
            )
        }
        count = len(rows["recordings"])
        paths = [recordings.packed_paths(session, run_id, k, t).tobytes() for t in range(count) for k in (1, 2)]
    return rows | {"paths": paths, "images": artifacts.read_distances(run_id)}


@pytest.mark.parametrize("steps", [[8], [1, 6, 7, 14]])
def test_a_run_that_was_paused_between_recordings_goes_on_to_the_bit(home, steps):
    disturbed, undisturbed = submit(), submit()
    for step in steps:
        train(disturbed, pause_at=step)
    train(disturbed)
    train(undisturbed)
    assert recorded(disturbed) == recorded(undisturbed)


def test_a_pause_keeps_the_steps_since_the_last_recording(home):
    run_id = submit()
    train(run_id, pause_at=8)
    with session_scope() as session:
        lease = leases.claim(session, run_id, "tests@here")
        spec = runs.get_run(session, run_id).spec
    with Pausing(lease) as reporter:
        reporter.pause_at = 9
        trainer = Trainer(lease, spec, reporter)
        with pytest.raises(Stopped):
            trainer.run()
    assert trainer.training.step == 9
    assert reporter._progress.step == 9


def test_an_extended_run_equals_one_that_was_submitted_with_more_epochs(home):
    schedule = {"milestones": [1, 2]}
    extended, long = submit(), submit(epochs=5, lr_schedule=schedule)
    train(extended)
    with session_scope() as session:
        commands.extend(session, extended, 5)
    train(extended)
    train(long)
    assert recorded(extended) == recorded(long)
    with read_scope() as session:
        first, second = runs.get_run(session, extended), runs.get_run(session, long)
    assert first.spec == second.spec
    assert first.progress.recordings == second.progress.recordings == 6
    assert first.last.t == 5
