"""Runs migrations on the database that PATHSCOPE_DATABASE_URL names; of several at once, all but one wait."""

from alembic import context
from sqlalchemy import Connection, text

from backend import models
from backend.db import engine

LOCK = 0x70617468  # any number that nobody else in this database locks


def lock(connection: Connection) -> None:
    """Hold all other migrations of this database off until the transaction ends; on SQLite, BEGIN IMMEDIATE does so."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=models.Base.metadata,
        # SQLite cannot alter a table in place: batch mode copies it.
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


with engine().execution_options(writes=True).begin() as connection:
    lock(connection)
    run(connection)
