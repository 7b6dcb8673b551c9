"""A database that is away: who waits, who says so, and that what is repeated stands once."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from backend import db
from backend.api.app import create_app
from backend.db import patiently, read_scope, session_scope
from backend.errors import LeaseLost
from backend.models import LogLine
from backend.schemas import RunSpec
from backend.services import events, leases, runs
from tests.conftest import forget_settings
from tests.servers import free_port


class Flaky:
    """Fails so many times with what SQLAlchemy raises where no server answers."""

    def __init__(self, failures):
        self.failures = failures
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise OperationalError("SELECT 1", {}, Exception("connection refused"))
        return "done"


def test_patience_until_the_database_is_back():
    work = Flaky(2)
    assert patiently(work, seconds=10) == "done"
    assert work.calls == 3


def test_patience_comes_to_an_end():
    work = Flaky(100)
    with pytest.raises(OperationalError):
        patiently(work, seconds=0.5)
    assert 2 <= work.calls <= 5


def test_other_errors_are_not_waited_for():
    with pytest.raises(ZeroDivisionError):
        patiently(lambda: 1 / 0, seconds=10)


@pytest.fixture
def attempt(database):
    """The lease of a run's first attempt."""
    with session_scope() as session:
        run_id = runs.submit(session, RunSpec.model_validate({"net": "mlp", "dataset": "digits"}))[0].id
    with session_scope() as session:
        return leases.claim(session, run_id, "tests@here")


def log_of(run_id):
    with read_scope() as session:
        query = select(LogLine.number, LogLine.text).where(LogLine.run_id == run_id).order_by(LogLine.number)
        return session.execute(query).all()


def test_lines_of_the_log_that_are_stored_again_stand_once(attempt):
    for lines in (["a", "b"], ["a", "b"], ["a", "b", "c"]):
        with session_scope() as session:
            events.add_log_lines(session, attempt.run_id, attempt.attempt, 1, lines)
    assert log_of(attempt.run_id) == [(1, "a"), (2, "b"), (3, "c")]


def test_an_attempt_that_was_given_up_adds_nothing_to_the_log(attempt):
    with session_scope() as session:
        leases.give_back(session, attempt)
    with session_scope() as session:
        leases.claim(session, attempt.run_id, "elsewhere@there")
    with pytest.raises(LeaseLost), session_scope() as session:
        events.add_log_lines(session, attempt.run_id, attempt.attempt, 1, ["late"])
    assert log_of(attempt.run_id) == []


def test_the_api_says_that_the_database_is_away_and_when_to_come_again(home, monkeypatch):
    monkeypatch.setenv("PATHSCOPE_DATABASE_URL", f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing")
    forget_settings()
    with TestClient(create_app(), base_url="http://127.0.0.1:8000") as client:
        answer = client.get("/api/v1/runs")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["detail"] == "the database does not answer; try again shortly"
        assert client.get("/readyz").json()["database"] == "the database does not answer"
    db.engine().dispose()
