import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import structlog
from fastapi.testclient import TestClient
from sqlalchemy import update

from backend import logs
from backend.api.app import create_app
from backend.db import session_scope
from backend.machines import MachineLoad
from backend.models import Event, Run, now
from backend.schemas import RunSpec
from backend.services import leases, runs, workers
from tests.conftest import forget_settings
from tests.made_runs import make_run
from tests.servers import eventually, serving, working

CPU = workers.Machine("here", "CPU", 1, has_gpu=False)
Logged = Callable[[], list[str]]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Logged]:
    """The lines that were logged since the last call; logging is as before afterwards."""
    monkeypatch.setenv("PATHSCOPE_LOG_LEVEL", "DEBUG")
    forget_settings()
    root = logging.getLogger()
    before = root.handlers, root.level
    errors = StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    logs.configure()

    def read() -> list[str]:
        lines = errors.getvalue().splitlines()
        errors.truncate(0)
        errors.seek(0)
        return lines

    yield read
    logging.captureWarnings(False)
    root.handlers, root.level = before


def objects(lines: Iterable[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_a_line_bears_what_is_bound_and_the_traceback(logged: Logged) -> None:
    with structlog.contextvars.bound_contextvars(run=3, attempt=2):
        try:
            raise ValueError("no such thing")
        except ValueError:
            logging.getLogger("worker.tasks").exception("run %s failed", 3)
    (line,) = objects(logged())
    assert line["exception"].endswith("ValueError: no such thing")
    assert {name: line[name] for name in ("event", "level", "logger", "run", "attempt")} == {
        "event": "run 3 failed",
        "level": "error",
        "logger": "worker.tasks",
        "run": 3,
        "attempt": 2,
    }


@pytest.mark.usefixtures("logged")
def test_text_is_logged_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHSCOPE_LOG_FORMAT", "text")
    forget_settings()
    with redirect_stderr(StringIO()) as errors:
        logs.configure()
        logging.getLogger("x").warning("the broker is away")
    assert "the broker is away" in errors.getvalue()
    assert "{" not in errors.getvalue()


def test_a_request_bears_its_id_in_answer_and_log(logged: Logged) -> None:
    with TestClient(create_app()) as client:
        logged()
        given = client.post("/api/v1/runs/7/cancel", headers={"X-Request-ID": "from-the-proxy_1"})
        made = client.get("/api/v1/runs/7", headers={"X-Request-ID": "spaces are refused"})
    assert given.headers["X-Request-ID"] == "from-the-proxy_1"
    assert len(made.headers["X-Request-ID"]) == 32
    lines = [line for line in objects(logged()) if line["logger"] == "backend.api.request_log"]
    assert [(line["request_id"], line["method"], line["path"], line["status"]) for line in lines] == [
        ("from-the-proxy_1", "POST", "/api/v1/runs/7/cancel", 404),
        (made.headers["X-Request-ID"], "GET", "/api/v1/runs/7", 404),
    ]


def test_an_unexpected_error_is_logged_with_the_id_that_the_answer_bears(logged: Logged) -> None:
    app = create_app()

    def fail() -> None:
        raise RuntimeError("a bug")

    app.router.routes.insert(0, type(app.router.routes[-1])("/fails", fail))
    with TestClient(app) as client:
        answer = client.get("/fails")
    assert answer.status_code == 500
    assert "a bug" not in answer.text
    (line,) = [line for line in objects(logged()) if "unexpected error" in line["event"]]
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert "RuntimeError: a bug" in line["exception"]


def scrape(client: TestClient | httpx.Client) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


@pytest.mark.usefixtures("database")
def test_metrics_count_runs_recordings_workers_and_lost_attempts() -> None:
    make_run(count=4)
    make_run(count=3)
    with session_scope() as session:
        workers.report_worker(
            session, "one@here", CPU, MachineLoad(cores=2, utilisation=0, memory_used=0, memory_total=1), now()
        )
        for _ in range(3):
            runs.submit(session, RunSpec(net="mlp", dataset="digits"))
    with session_scope() as session:
        lease = leases.claim(session, 3, "one@here")
        assert lease is not None
        leases.lose(session, lease, "it was killed")
    with session_scope() as session:
        assert leases.claim(session, 4, "one@here") is not None
    with TestClient(create_app()) as client:
        found = scrape(client)
    assert found["pathscope_database_up"] == 1
    assert found['pathscope_runs{status="completed"}'] == 2
    assert found['pathscope_runs{status="running"}'] == 1
    assert found['pathscope_runs{status="failed"}'] == 0
    assert found["pathscope_queue_length"] == found['pathscope_runs{status="queued"}'] == 2
    assert 0 < found["pathscope_queue_oldest_seconds"] < 30
    assert found["pathscope_workers_alive"] == 1
    assert found["pathscope_recordings"] == 7
    assert found["pathscope_lost_attempts"] == 1
    assert 0 <= found['pathscope_heartbeat_age_seconds{run="4"}'] < 30
    assert found["pathscope_heartbeat_oldest_seconds"] == found['pathscope_heartbeat_age_seconds{run="4"}']


@pytest.mark.usefixtures("database")
def test_a_run_that_is_queued_again_has_not_waited_since_it_was_submitted() -> None:
    with session_scope() as session:
        for _ in range(2):
            runs.submit(session, RunSpec(net="mlp", dataset="digits"))
    with session_scope() as session:
        lease = leases.claim(session, 1, "one@here")
        assert lease is not None
        session.execute(update(Run).values(created_at=now() - timedelta(hours=2)))
        session.execute(update(Event).where(Event.run_id == 1).values(created_at=now() - timedelta(hours=2)))
        session.execute(update(Event).where(Event.run_id == 2).values(created_at=now() - timedelta(minutes=1)))
        leases.give_back(session, lease)
    with TestClient(create_app()) as client:
        assert 60 <= scrape(client)["pathscope_queue_oldest_seconds"] < 90


@pytest.mark.usefixtures("home")
def test_metrics_hold_how_long_answers_take_by_route() -> None:
    count = 'pathscope_request_seconds_count{method="GET",route="/api/v1/runs/{run_id}",status="404"}'
    with TestClient(create_app()) as client:
        before = scrape(client).get(count, 0)
        for run_id in (5, 6):
            client.get(f"/api/v1/runs/{run_id}")
        found = scrape(client)
    assert found[count] - before == 2
    slowest = count.replace("_count", "_bucket").replace("}}", "X").replace("method", 'le="+Inf",method')
    assert found[slowest.replace("X", "}}")] == found[count]


def test_metrics_without_the_database_say_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHSCOPE_DATABASE_URL", "postgresql+psycopg://root@127.0.0.1:1/x?connect_timeout=1")
    monkeypatch.setenv("PATHSCOPE_AUTH", "none")  # else nobody could say whose token it is
    forget_settings()
    found = scrape(TestClient(create_app()))
    assert found["pathscope_database_up"] == 0
    assert "pathscope_queue_length" not in found


def test_server_and_worker_log_json_from_the_first_line_on(home: Path) -> None:
    with serving(home) as url, working(home):
        run_id = httpx.post(f"{url}/api/v1/runs", json={"net": "mlp", "dataset": "digits", "epochs": 1}).json()["id"]
        eventually(lambda: httpx.get(f"{url}/api/v1/runs/{run_id}").json()["status"] == "completed", "the end")
    server = objects((home / "server.log").read_text().splitlines())
    # Celery writes its good-bye past all logging.
    good_bye = ("", "worker: Warm shutdown (MainProcess)")
    worker = objects(line for line in (home / "worker.log").read_text().splitlines() if line not in good_bye)
    assert any(line["event"].startswith("listening on 127.0.0.1") for line in server)
    assert any(line["logger"].startswith("uvicorn") for line in server)
    assert any(line.get("path") == "/api/v1/runs" and line["request_id"] for line in server)
    begun = next(line for line in worker if "begins its attempt" in line["event"])
    assert (begun["run"], begun["attempt"]) == (run_id, 1)
    assert any(line["logger"].startswith("celery") for line in worker)
