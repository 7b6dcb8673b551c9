"""Every migration down and up again, on both databases, with a run in them."""

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from fastapi.testclient import TestClient

from backend.api.app import create_app
from tests.conftest import ROOT, forget_settings
from tests.made_runs import make_run

CONFIG = Config(ROOT / "alembic.ini")
CALLS = ("", "/recordings", "/layers", "/images", "/cross-path?layer=1", "/neighbours?layer=1&image=0", "/early-to-mid")


def answers(client: TestClient, run_id: int) -> list[object]:
    found = [client.get(f"/api/v1/runs/{run_id}{call}") for call in CALLS]
    assert [answer.status_code for answer in found] == [200] * len(CALLS)
    return [answer.json() for answer in found]


@pytest.mark.usefixtures("database")
def test_a_run_survives_every_migration_down_and_up() -> None:
    run = make_run(count=7, epochs=6, lr_schedule={"milestones": [2, 4]})
    first = next(script for script in ScriptDirectory.from_config(CONFIG).walk_revisions() if not script.down_revision)
    with TestClient(create_app()) as client:
        before = answers(client, run.id)
    forget_settings()  # a migration runs in a process of its own
    command.downgrade(CONFIG, first.revision)
    command.upgrade(CONFIG, "head")
    forget_settings()
    with TestClient(create_app()) as client:
        assert answers(client, run.id) == before


@pytest.mark.usefixtures("database")
def test_the_migrations_make_the_tables_of_the_models() -> None:
    command.check(CONFIG)
