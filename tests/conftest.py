"""Real services for every test: a migrated database of its own (SQLite, or Postgres), its own home, a real broker."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url, text

from backend import artifacts, catalogue, db, queue, rate_limits, settings
from backend.models import Base

ROOT = Path(__file__).parent.parent
POSTGRES = os.environ.get("PATHSCOPE_TEST_POSTGRES", "postgresql+psycopg://root@127.0.0.1:5432/postgres")


def _redis_of_this_process() -> str:
    """The named database of Redis, or one below for each further process of pytest-xdist (gw0, gw1, …)."""
    server, _, database = os.environ.get("PATHSCOPE_TEST_REDIS", "redis://127.0.0.1:6379/15").rpartition("/")
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return f"{server}/{int(database) - process}"


REDIS = _redis_of_this_process()


def forget_settings() -> None:
    """Let the next use read the environment again."""
    if db.engine.cache_info().currsize:
        db.engine().dispose()
    for cached in (settings.settings, db.engine, queue.celery_app, artifacts._root, catalogue._list):
        cached.cache_clear()
    rate_limits.forget()


def migrate() -> None:
    command.upgrade(Config(ROOT / "alembic.ini"), "head")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A migrated Postgres database that only this test session uses."""
    name = f"pathscope_test_{uuid4().hex[:8]}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATHSCOPE_DATABASE_URL", url)
        forget_settings()
        migrate()
        forget_settings()
    yield url
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "pathscope.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATHSCOPE_HOME", str(path.parent))
        forget_settings()
        migrate()
        db.engine().dispose()
        forget_settings()
    return path


def settle(folder: Path, patch: pytest.MonkeyPatch, template: Path) -> Path:
    """Make the folder PATHSCOPE_HOME, with an empty, migrated SQLite database; nothing else is set."""
    for name in [name for name in os.environ if name.startswith("PATHSCOPE_") and "TEST" not in name]:
        patch.delenv(name)
    patch.delenv("PORT", raising=False)
    folder.mkdir()
    patch.setenv("PATHSCOPE_HOME", str(folder))
    shutil.copy(template, folder / "pathscope.db")
    forget_settings()
    return folder


def use_postgres(url: str, patch: pytest.MonkeyPatch) -> None:
    """Name the migrated database of this address in the environment, and empty it."""
    patch.setenv("PATHSCOPE_DATABASE_URL", url)
    forget_settings()
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with db.engine().begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path) -> Iterator[Path]:
    """PATHSCOPE_HOME with an empty, migrated SQLite database; nothing else is set."""
    yield settle(tmp_path / "home", monkeypatch, sqlite_template)
    forget_settings()


@pytest.fixture
def postgres(home: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> str:
    """As `home`, but with an empty Postgres database."""
    use_postgres(postgres_url, monkeypatch)
    return postgres_url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Path]:
    """One home for all tests of a module, on SQLite and then on Postgres: each makes runs of its own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = settle(tmp_path_factory.mktemp("shared") / "home", patch, sqlite_template)
        if request.param == "postgres":
            use_postgres(request.getfixturevalue("postgres_url"), patch)
        yield folder
    forget_settings()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, home: Path) -> str:
    """Runs the test twice: on SQLite and on Postgres."""
    if request.param == "postgres":
        request.getfixturevalue("postgres")
    return str(request.param)


@pytest.fixture
def redis(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """As `home`, but with an empty Redis as the broker."""
    from redis import Redis

    with Redis.from_url(REDIS) as server:
        server.flushdb()
    monkeypatch.setenv("PATHSCOPE_BROKER_URL", REDIS)
    forget_settings()
    return REDIS
