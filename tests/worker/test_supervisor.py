"""What becomes of a run whose trainer cannot hear yet: it is a process that imports torch."""

import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from backend.db import read_scope, session_scope
from backend.models import LogLine
from backend.run_states import RunStatus
from backend.schemas import RunSpec
from backend.services import commands, leases, runs
from tests.servers import ROOT, eventually
from worker.supervisor import supervise

SUPERVISE = """
import sys
from worker.supervisor import Lease, supervise

supervise(Lease(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""


def claimed(devices: int = 1) -> leases.Lease:
    with session_scope() as session:
        run_id = runs.submit(session, RunSpec(net="mlp", dataset="digits", devices=devices))[0].id
        lease = leases.claim(session, run_id, "here")
        assert lease is not None
        return lease


def status_of(lease: leases.Lease) -> RunStatus:
    with read_scope() as session:
        return runs.get_run(session, lease.run_id).status


def started(lease: leases.Lease, module: str) -> list[int]:
    """The processes of an attempt that have come as far as this module's start."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = (entry / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if lease.token in arguments and module in arguments:
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize(
    ("command", "status"), [(commands.cancel, RunStatus.CANCELLED), (commands.pause, RunStatus.PAUSED)]
)
def test_a_run_that_is_stopped_while_its_trainer_starts_ends_at_once_and_loses_no_attempt(home, command, status):
    with session_scope() as session:
        run_id = runs.submit(session, RunSpec(net="mlp", dataset="digits"))[0].id
        lease = leases.claim(session, run_id, "here")
        command(session, run_id)
    supervise(lease)
    with read_scope() as session:
        run = runs.get_run(session, run_id)
        assert (run.status, run.lost_attempts) == (status, 0)
        assert session.scalars(select(LogLine.text)).all() == [], "the trainer never came to train"


@pytest.mark.parametrize("seconds", [0, 0.5, 1, 1.5])
def test_a_run_whose_supervisor_is_killed_while_its_trainer_starts_waits_again_at_once(home, seconds):
    lease = claimed()
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISE, *map(str, lease)], cwd=ROOT)
    eventually(lambda: started(lease, "worker.trainer"), "the trainer")
    time.sleep(seconds)
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: status_of(lease) is RunStatus.QUEUED, "the run's return", 15)
    eventually(lambda: not started(lease, "worker.trainer"), "the trainer's end", 15)


def test_a_run_whose_trainer_ends_without_an_end_of_the_run_is_queued_again_at_once(home, monkeypatch):
    monkeypatch.setattr("worker.supervisor._command", lambda *_: [sys.executable, "-c", "pass"])
    lease = claimed()
    supervise(lease)
    with read_scope() as session:
        run = runs.get_run(session, lease.run_id)
        assert (run.status, run.lost_attempts) == (RunStatus.QUEUED, 1)


def test_cancel_while_the_processes_of_several_devices_start_is_heard_at_once(home):
    lease = claimed(devices=2)
    watching = Thread(target=supervise, args=(lease, (), 2))
    watching.start()
    eventually(lambda: len(started(lease, "worker.rank")) == 2, "both processes")
    with session_scope() as session:
        commands.cancel(session, lease.run_id)
    watching.join(10)
    assert not watching.is_alive()
    with read_scope() as session:
        assert runs.get_run(session, lease.run_id).status is RunStatus.CANCELLED
        assert session.scalars(select(LogLine.text)).all() == [], "neither process came to train"
    eventually(lambda: not started(lease, "worker.rank"), "the end of both processes", 15)
