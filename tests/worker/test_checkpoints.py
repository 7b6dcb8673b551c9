"""A run that goes on after its checkpoint, after a damaged one, and beside an attempt that was given up."""

import errno

import pytest
from sqlalchemy import select

from backend import artifacts
from backend.artifacts import CheckpointName
from backend.db import read_scope, session_scope
from backend.errors import Damaged, LeaseLost, NoSpace
from backend.models import Event, LayerArray, Recording
from backend.schemas import RunSpec
from backend.services import leases, recordings, runs
from backend.services.leases import Lease
from worker.reporter import Reporter
from worker.trainer import Stopped, Trainer

SPEC = {"net": "mlp", "dataset": "digits", "epochs": 4, "batch_size": 512, "probe": {"count": 8}, "device": "cpu"}


class StopsAfter(Reporter):
    """Has the trainer stop when so many recordings are written."""

    recordings = 3

    def set(self, **values):
        super().set(**values)
        if values.get("recorded") == self.recordings:
            self.stop_asked.set()


def claimed():
    with session_scope() as session:
        run, _ = runs.submit(session, RunSpec.model_validate(SPEC))
    with session_scope() as session:
        return leases.claim(session, run.id, "tests@here")


def attempt(lease, reporter=Reporter):
    with read_scope() as session:
        spec = runs.get_run(session, lease.run_id).spec
    with reporter(lease) as reporting:
        Trainer(lease, spec, reporting).run()


def interrupted():
    """The lease of the second attempt at a run whose first one stopped after three recordings or more."""
    lease = claimed()
    with pytest.raises(Stopped):
        attempt(lease, StopsAfter)
    with session_scope() as session:
        leases.give_back(session, lease)
    with session_scope() as session:
        return leases.claim(session, lease.run_id, "tests@here")


def stored(run_id):
    """Every array of the run, as bytes, and its packed paths."""
    place = (LayerArray.measure, LayerArray.quantity, LayerArray.k, LayerArray.t)
    with read_scope() as session:
        rows = session.execute(select(*place, LayerArray.data).where(LayerArray.run_id == run_id))
        arrays = {tuple(row[:4]): row[4] for row in rows}
        made_by = recordings.attempts(session, run_id)
    return arrays, {(t, k): artifacts.read_paths(run_id, made_by[t], t, k) for t in made_by for k in (1, 2, 3)}


def damage(run_id, name, change):
    path = artifacts._path(run_id, "checkpoints", name)
    data = artifacts._read(path)
    artifacts._write(path, change(data))


@pytest.fixture
def undisturbed(home):
    lease = claimed()
    attempt(lease)
    return stored(lease.run_id)


@pytest.mark.parametrize(
    "change",
    [lambda data: data[:-1000], lambda data: data[:5000] + b"\0" + data[5001:], lambda data: b""],
    ids=["truncated", "one byte changed", "empty"],
)
def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_the_values_are_the_same(undisturbed, change):
    lease = interrupted()
    newest, before = artifacts.list_checkpoints(lease.run_id)
    assert newest.t == before.t + 1
    damage(lease.run_id, newest, change)
    attempt(lease)
    assert stored(lease.run_id) == undisturbed
    with read_scope() as session:
        made_by = recordings.attempts(session, lease.run_id)
        warnings = session.scalars(select(Event.data).where(Event.kind == "warning")).all()
    assert made_by == {t: 1 if t <= before.t else 2 for t in range(5)}
    assert [one["message"].split(":")[0] for one in warnings] == [
        f"the checkpoint after recording {newest.t} is damaged"
    ]


def test_two_checkpoints_are_kept_and_nothing_half_written(home):
    lease = claimed()
    attempt(lease)
    assert artifacts.list_checkpoints(lease.run_id) == [CheckpointName(4, 1), CheckpointName(3, 1)]
    assert [path.name for path in home.rglob(".*")] == []


def test_a_checkpoint_of_a_recording_that_was_made_anew_is_not_taken(home):
    lease = interrupted()
    newest = artifacts.list_checkpoints(lease.run_id)[0]
    # The first attempt wakes after the second one has recorded the same once more, and writes its checkpoint.
    with session_scope() as session:
        session.get_one(Recording, (lease.run_id, newest.t)).attempt = 2
    attempt(lease)
    with read_scope() as session:
        assert recordings.attempts(session, lease.run_id)[newest.t] == 2
    assert [folder.name for folder in home.glob(f"artifacts/runs/{lease.run_id}/paths/{newest.t}/*")] == ["2"]


def test_an_attempt_that_lost_its_lease_changes_nothing_that_counts(undisturbed):
    lease = interrupted()
    with pytest.raises((LeaseLost, Stopped)):
        attempt(Lease(lease.run_id, "0" * 32, 1))
    attempt(lease)
    assert stored(lease.run_id) == undisturbed


def test_a_full_disk_is_told_of_and_leaves_no_file(home, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artifacts.os, "fsync", full)
    with pytest.raises(
        NoSpace, match=rf"the artifact folder {home}/artifacts has no room left \([\d,]+ bytes are free\)"
    ):
        artifacts.write_paths(1, 1, 0, 1, b"paths")
    assert [path for path in home.rglob("paths/**/*") if path.is_file()] == []


def test_a_run_keeps_its_files_where_fsspec_says(home, monkeypatch):
    from tests.conftest import forget_settings

    monkeypatch.setenv("PATHSCOPE_ARTIFACTS_URL", "memory://lab")
    forget_settings()
    lease = interrupted()
    attempt(lease)
    assert [name.t for name in artifacts.list_checkpoints(lease.run_id)] == [4, 3]
    assert None not in stored(lease.run_id)[1].values()
    assert not (home / "artifacts").exists()


@pytest.mark.parametrize("data", [b"", b"pathscope checkpoint 1\n", b"something else"])
def test_what_was_never_sealed_is_damaged(data):
    with pytest.raises(Damaged):
        artifacts.unsealed(data)
