"""Runs migrations on the database that PATHSCOPE_DATABASE_URL names; of several at once, all but one wait."""

import fcntl

from alembic import context
from sqlalchemy import Connection, Engine, text

from backend import models
from backend.db import engine

LOCK = 0x70617468  # any number that nobody else in this database locks


def on_postgres(postgres: Engine) -> None:
    with postgres.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        run(connection)


def on_sqlite(sqlite: Engine) -> None:
    """A table is altered by copying it; with foreign keys on, dropping the old one would delete what refers to it."""
    with open(f"{sqlite.url.database}.migrating", "w") as file, sqlite.connect() as connection:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Only outside a transaction, and SQLAlchemy would begin one.
        foreign_keys = connection.connection.driver_connection
        foreign_keys.execute("PRAGMA foreign_keys=OFF")
        with connection.execution_options(writes=True).begin():
            run(connection)
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if lost:
                raise RuntimeError(f"the migration would leave rows that refer to nothing: {lost[:5]}")
        foreign_keys.execute("PRAGMA foreign_keys=ON")


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


if engine().dialect.name == "postgresql":
    on_postgres(engine())
else:
    on_sqlite(engine())
