"""Every migration down and up again, on both databases, with a run in them."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from fastapi.testclient import TestClient
from sqlalchemy import JSON, Column, Enum, MetaData, insert, select
from sqlalchemy.orm import Session

from backend import db
from backend.api.app import create_app
from backend.db import UTCDateTime
from backend.models import Base
from tests.conftest import ROOT, forget_settings
from tests.made_runs import make_run

CONFIG = Config(ROOT / "alembic.ini")
CALLS = ("", "/recordings", "/layers", "/images", "/cross-path?layer=1", "/neighbours?layer=1&image=0", "/early-to-mid")


def answers(client: TestClient, run_id: int) -> list[object]:
    found = [client.get(f"/api/v1/runs/{run_id}{call}") for call in CALLS]
    assert [answer.status_code for answer in found] == [200] * len(CALLS)
    run, recordings, *others = [answer.json() for answer in found]
    for recording in (run["last"], *recordings):
        del recording["attempt"]  # the first tables have no place for it
    return [run, recordings, *others]


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


Rows = dict[str, list[dict[str, object]]]


def stored() -> Rows:
    """Every row of every table as the database itself describes its tables now, whatever the models say."""
    now = MetaData()
    now.reflect(db.engine())
    with db.engine().connect() as connection:
        return {
            table.name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=repr)
            for table in now.sorted_tables
            if table.name != "alembic_version"
        }


def fill_what_is_empty() -> None:
    """A row for each table that has none, so that a migration of a new table meets data as well."""
    with db.session_scope() as session:
        for table in Base.metadata.sorted_tables:
            if session.execute(select(table).limit(1)).first() is None:
                session.execute(insert(table).values({column.name: made_up(session, column) for column in table.c}))


def made_up(session: Session, column: Column[Any]) -> object:
    for key in column.foreign_keys:
        return session.scalar(select(key.column).limit(1))
    if isinstance(column.type, Enum):
        return column.type.enums[0]
    if isinstance(column.type, JSON):
        return {"made": "up"}
    if isinstance(column.type, UTCDateTime):
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return {int: 7, float: 0.5, str: "x", bool: True, bytes: b"made up"}[column.type.python_type]


def assert_kept(before: Rows, after: Rows) -> None:
    """What both schemas have a place for is the same in both."""
    for table in before.keys() & after.keys():
        assert len(before[table]) == len(after[table]), table
        columns = {name for rows in (before, after) for name in rows[table][0]} if before[table] else set()
        shared = [name for name in columns if name in before[table][0] and name in after[table][0]]
        first, second = ([[row[name] for name in shared] for row in rows[table]] for rows in (before, after))
        assert sorted(map(repr, first)) == sorted(map(repr, second)), table


@pytest.mark.usefixtures("database")
def test_each_migration_down_and_up_keeps_every_row_that_it_has_a_place_for() -> None:
    make_run(images=5, quantities=["path", "image_function", "projection"], tags=["a"])
    fill_what_is_empty()
    revisions = [script.revision for script in ScriptDirectory.from_config(CONFIG).walk_revisions()]
    states = [stored()]
    assert all(states[0].values()), "each table holds data"
    for revision in revisions[1:]:
        forget_settings()
        command.downgrade(CONFIG, revision)
        states.append(stored())
    for revision in reversed(revisions[:-1]):
        forget_settings()
        command.upgrade(CONFIG, revision)
        states.append(stored())
    for before, after in pairwise(states):
        assert_kept(before, after)
    assert states[-1].keys() == states[0].keys()
