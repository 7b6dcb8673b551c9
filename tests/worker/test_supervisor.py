"""What becomes of a run whose trainer cannot hear yet: it is a process that imports torch."""

import pytest
from sqlalchemy import select

from backend.db import read_scope, session_scope
from backend.models import LogLine
from backend.run_states import RunStatus
from backend.schemas import RunSpec
from backend.services import commands, leases, runs
from worker.supervisor import supervise


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
