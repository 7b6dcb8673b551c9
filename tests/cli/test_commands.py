import fcntl
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import httpx2 as httpx
import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from backend.db import session_scope
from backend.machines import MachineLoad
from backend.models import Base, now
from backend.services import workers
from tests.cli.conftest import ARGV, Command
from tests.conftest import POSTGRES
from tests.servers import serving

DEAD_BROKER = "redis://:secret@127.0.0.1:1/0"
DEAD_DATABASE = "postgresql+psycopg://root:secret@127.0.0.1:1/x"


def only_line(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.strip()


def test_help_when_nothing_heavy_is_imported() -> None:
    code = "import sys, cli.app; print({'torch', 'dash', 'celery', 'sqlalchemy'} & sys.modules.keys())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"


def test_help_names_every_command(pathscope: Command) -> None:
    result = pathscope("--help")
    assert result.returncode == 0
    for command in ("up", "serve", "worker", "migrate", "submit", "runs", "show", "cancel", "doctor"):
        assert f" {command} " in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [("runs",), ("runs", "--json"), ("show", "1"), ("cancel", "1"), ("submit", "--net", "alexnet", "--watch")],
    ids=" ".join,
)
def test_a_command_when_no_server_answers(pathscope: Command, port: int, arguments: tuple[str, ...]) -> None:
    result = pathscope(*arguments)
    hint = "start it with `pathscope up`, or name the one that runs elsewhere with PORT or PATHSCOPE_URL"
    expected = f"pathscope: no Pathscope server answers at http://127.0.0.1:{port}; {hint}"
    assert (result.returncode, only_line(result)) == (1, expected)


def test_runs_when_something_else_answers(pathscope: Command, port: int) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Other) as other:
        Thread(target=other.handle_request).start()
        result = pathscope("runs")
    assert result.returncode == 1
    assert "is not Pathscope (HTTP 404" in only_line(result)


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (("--set", "epochs"), "", "--set takes key=value, e.g. optimiser.lr=0.05, found 'epochs'"),
        (("--set", "=3"), "", "--set takes key=value"),
        (("--net", "mlp", "--set", "net.size=3"), "", "net.size: net holds 'mlp', which has no fields inside"),
        (("no-such-file.json",), "", "cannot read no-such-file.json: No such file or directory"),
        (("-",), "{", "standard input is not JSON: "),
        (("-",), '{"seed": NaN}', "standard input is not JSON: NaN"),
        (("-",), "[1]", "standard input must hold one JSON object"),
        (("-",), "[" * 200_000, "standard input is not JSON: it is nested too deeply"),
    ],
)
def test_submit_when_the_description_cannot_be_read(
    pathscope: Command, arguments: tuple[str, ...], stdin: str, message: str
) -> None:
    result = pathscope("submit", *arguments, stdin=stdin)
    assert result.returncode == 2
    assert only_line(result).startswith(f"pathscope: {message}")


def test_submit_when_a_flag_is_no_number(pathscope: Command) -> None:
    result = pathscope("submit", "--epochs", "many")
    assert result.returncode == 2
    assert "'--epochs'" in result.stderr


def test_a_command_when_the_address_is_none(pathscope: Command) -> None:
    result = pathscope("runs", PATHSCOPE_URL="localhost:8000")
    assert result.returncode == 2
    assert "is not a server's address" in only_line(result)


def test_a_command_when_a_setting_is_wrong(pathscope: Command) -> None:
    result = pathscope("runs", PORT="many")
    assert result.returncode == 2
    assert only_line(result).startswith("pathscope: the setting PATHSCOPE_PORT (or PORT) is 'many': ")


@pytest.mark.parametrize("command", ["up", "serve"])
def test_start_when_the_port_is_busy(pathscope: Command, port: int, command: str) -> None:
    with socket.create_server(("127.0.0.1", port)):
        result = pathscope(command)
    assert result.returncode == 1
    assert only_line(result).startswith(f"pathscope: port {port} on 127.0.0.1 is in use by another program")


def test_up_when_the_home_takes_no_files(pathscope: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = pathscope("up", PATHSCOPE_HOME=str(tmp_path / "file" / "home"))
    assert result.returncode == 1
    assert only_line(result).startswith(f"pathscope: cannot write to the state folder {tmp_path}/file/home (Not a dir")


@pytest.mark.parametrize("command", ["up", "serve", "worker", "migrate --wait 0"])
def test_start_when_the_database_is_away(pathscope: Command, command: str) -> None:
    result = pathscope(*command.split(), PATHSCOPE_DATABASE_URL=DEAD_DATABASE)
    assert result.returncode == 1
    expected = "pathscope: the database postgresql+psycopg://root:***@127.0.0.1:1/x does not answer ("
    assert only_line(result).startswith(expected)


@pytest.mark.parametrize("command", ["up", "worker"])
def test_start_when_the_broker_is_away(pathscope: Command, command: str) -> None:
    result = pathscope(command, PATHSCOPE_BROKER_URL=DEAD_BROKER)
    assert result.returncode == 1
    assert "the broker redis://:***@127.0.0.1:1/0 does not answer" in only_line(result)


def test_serve_when_the_broker_is_away_answers_and_warns(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHSCOPE_BROKER_URL", DEAD_BROKER)
    with serving(home) as url:
        assert httpx.post(f"{url}/api/v1/runs", json={"net": "mlp", "dataset": "digits"}).status_code == 201
        assert httpx.get(f"{url}/readyz").json()["broker"] == "the broker does not answer"
    warning = "the broker redis://:***@127.0.0.1:1/0 does not answer; runs wait until it does"
    assert warning in (home / "server.log").read_text()


def test_up_when_the_broker_is_of_no_known_kind(pathscope: Command) -> None:
    result = pathscope("up", PATHSCOPE_BROKER_URL="carrier-pigeon://coop")
    assert result.returncode == 2
    assert "PATHSCOPE_BROKER_URL carrier-pigeon://coop is not a broker's address" in only_line(result)


def test_up_when_one_runs_on_the_same_home(pathscope: Command, home: Path) -> None:
    with (home / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = pathscope("up")
    assert result.returncode == 1
    assert only_line(result).startswith(f"pathscope: Pathscope already runs on {home}")


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_start_when_the_database_is_not_migrated(pathscope: Command, tmp_path: Path, command: str) -> None:
    result = pathscope(command, PATHSCOPE_HOME=str(tmp_path / "empty"))
    assert result.returncode == 1
    assert only_line(result).endswith("are not those of this version; run: pathscope migrate")


def test_migrate_when_several_start_at_once(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, drop = f"sqlite:///{tmp_path / 'fresh.db'}", ""
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    if database == "postgres":
        drop = f"pathscope_test_{uuid4().hex[:8]}"
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {drop}"))
        url = make_url(POSTGRES).set(database=drop).render_as_string(hide_password=False)
    monkeypatch.setenv("PATHSCOPE_DATABASE_URL", url)

    started = [
        subprocess.Popen([*ARGV, "migrate"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in started]

    engine = create_engine(url)
    tables = set(inspect(engine).get_table_names())
    engine.dispose()
    if drop:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {drop} WITH (FORCE)"))
    server.dispose()
    assert outputs == ["The database is up to date.\n"] * 4
    assert tables == set(Base.metadata.tables) | {"alembic_version"}


def test_migrate_when_the_database_stays_away(pathscope: Command) -> None:
    began = time.monotonic()
    result = pathscope("migrate", "--wait", "1.2", PATHSCOPE_DATABASE_URL=DEAD_DATABASE)
    assert time.monotonic() - began > 1.2
    assert result.returncode == 1
    assert result.stdout == "Waiting up to 1.2 s for postgresql+psycopg://root:***@127.0.0.1:1/x …\n"


def test_migrate_when_the_database_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"pathscope_test_{uuid4().hex[:8]}"
    url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("PATHSCOPE_DATABASE_URL", url)
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        with subprocess.Popen([*ARGV, "migrate"], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Waiting up to 30 s for postgresql+psycopg://")
            connection.execute(text(f"CREATE DATABASE {name}"))
            assert process.stdout.read() == "The database is up to date.\n"
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
    assert process.returncode == 0


def test_doctor_when_only_the_server_is_missing(pathscope: Command, home: Path) -> None:
    result = pathscope("doctor")
    assert result.returncode == 0, result.stdout
    found = {line.split()[1]: line.split()[0] for line in result.stdout.splitlines()}
    assert found.items() >= {"Pathscope": "ok", "Database": "ok", "Broker": "ok", "Server": "note"}.items()
    assert str(home) in result.stdout


def test_doctor_when_the_database_is_away(pathscope: Command) -> None:
    result = pathscope("doctor", PATHSCOPE_DATABASE_URL=DEAD_DATABASE)
    assert result.returncode == 1
    assert only_line(result) == "pathscope: not in order: Database"
    assert "secret" not in result.stdout


def test_alive_when_this_worker_or_another_one_works(pathscope: Command, home: Path) -> None:
    with session_scope() as session:
        cpu = workers.Machine("here", "CPU", 1, has_gpu=False)
        workers.report_worker(
            session,
            f"first@{socket.gethostname()}",
            cpu,
            MachineLoad(cores=2, utilisation=0, memory_used=0, memory_total=1),
            now(),
        )
    assert pathscope("alive", "--name", "first").returncode == 0
    other = pathscope("alive")
    assert other.returncode == 1
    mine, theirs = f"pathscope@{socket.gethostname()}", f"first@{socket.gethostname()}"
    assert only_line(other) == f"pathscope: no worker {mine} is alive; alive are: {theirs}"
