"""Runs that nobody works on: silent leases, attempts that count, lost messages, and one reaper at a time."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from backend import db, queue
from backend.db import read_scope, session_scope
from backend.models import Event, Run, now
from backend.schemas import DeviceKind, RunSpec, RunStatus
from backend.services import commands, leases, reaper, runs
from backend.services.reaper import Reaper

SPEC = RunSpec.model_validate({"net": "mlp", "dataset": "digits"})


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the reaper's own clock is ahead; a list with one number."""
    ahead, real = [0.0], reaper.monotonic
    monkeypatch.setattr(reaper, "monotonic", lambda: real() + ahead[0])
    return ahead


@pytest.fixture
def lease(database):
    return claimed(submitted())


def submitted():
    with session_scope() as session:
        return runs.submit(session, SPEC)[0].id


def claimed(run_id):
    with session_scope() as session:
        return leases.claim(session, run_id, "worker@here")


def change(run_id, **values):
    with session_scope() as session:
        for name, value in values.items():
            setattr(session.get_one(Run, run_id), name, value)


def run_of(run_id):
    with read_scope() as session:
        return runs.get_run(session, run_id)


def fall_silent(run_id, clock, watched=11.0):
    """What one reaper takes back from a worker that is silent for a minute, after it watched for so long."""
    change(run_id, heartbeat_at=now() - timedelta(minutes=1))
    looking = Reaper()
    assert looking.look() == [], "it has only just begun to watch"
    clock[0] += watched
    return looking.look()


def test_a_silent_run_is_taken_back_once_the_reaper_has_watched_it(lease, clock):
    assert fall_silent(lease.run_id, clock, watched=9.0) == []
    assert fall_silent(lease.run_id, clock) == [lease.run_id]
    run = run_of(lease.run_id)
    assert (run.status, run.attempt, run.lost_attempts, run.worker) == (RunStatus.QUEUED, 1, 1, None)


def test_a_worker_that_is_heard_again_after_an_outage_keeps_its_run(lease, clock):
    change(lease.run_id, heartbeat_at=now() - timedelta(minutes=1))
    looking = Reaper()
    assert looking.look() == []
    clock[0] += 6
    with session_scope() as session:
        leases.heartbeat(session, lease)
    clock[0] += 6
    assert looking.look() == []
    assert run_of(lease.run_id).status is RunStatus.RUNNING


def test_the_third_lost_attempt_fails_the_run_and_says_why(lease, clock):
    for attempt in (1, 2):
        assert fall_silent(lease.run_id, clock) == [lease.run_id]
        assert claimed(lease.run_id).attempt == attempt + 1
    assert fall_silent(lease.run_id, clock) == [lease.run_id]
    run = run_of(lease.run_id)
    assert (run.status, run.lost_attempts) == (RunStatus.FAILED, 3)
    assert run.reason == "its worker worker@here fell silent. 3 attempts were lost."
    with read_scope() as session:
        warnings = session.scalars(select(Event.data).where(Event.kind == "warning").order_by(Event.number)).all()
    assert [one["message"][:19] for one in warnings] == [f"attempt {n} was lost:" for n in (1, 2, 3)]


def test_giving_back_does_not_count_as_lost(lease):
    for attempt in range(1, 6):
        with session_scope() as session:
            leases.give_back(session, lease)
        lease = claimed(lease.run_id)
        assert lease.attempt == attempt + 1
    assert run_of(lease.run_id).lost_attempts == 0


def test_a_silent_run_that_was_to_be_cancelled_is(lease, clock):
    with session_scope() as session:
        commands.cancel(session, lease.run_id)
    assert fall_silent(lease.run_id, clock) == [lease.run_id]
    assert run_of(lease.run_id).status is RunStatus.CANCELLED


def test_only_one_reaper_at_a_time(postgres, clock):
    lease = claimed(submitted())
    change(lease.run_id, heartbeat_at=now() - timedelta(minutes=1))
    looking = Reaper()
    looking.look()
    clock[0] += 11
    with db.engine().begin() as other:
        other.execute(text(f"SELECT pg_advisory_xact_lock({reaper.ELECTION})"))
        assert looking.look() == []
    assert looking.look() == [lease.run_id]


@pytest.mark.parametrize("broker", ["message files", "redis"])
def test_a_lost_message_is_sent_again_but_not_twice(request, broker, home):
    if broker == "redis":
        request.getfixturevalue("redis")
    waiting = [submitted(), submitted()]
    assert queue.waiting_messages(DeviceKind.AUTO) == 2
    with queue.celery_app().connection_for_write() as connection:
        connection.default_channel.queue_purge("pathscope-auto")
    Reaper().look()
    assert queue.waiting_messages(DeviceKind.AUTO) == 0, "a message may still be on its way"
    for run_id in waiting:
        change(run_id, updated_at=now() - timedelta(seconds=6))
    for _ in range(3):
        Reaper().look()
        assert queue.waiting_messages(DeviceKind.AUTO) == 2
