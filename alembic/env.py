"""Runs migrations on the database that PATHSCOPE_DATABASE_URL names."""

from sqlalchemy import Connection

from alembic import context
from backend import models
from backend.db import engine


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


with engine().execution_options(writes=True).connect() as connection:
    run(connection)
    connection.commit()
