"""Postgres tells who listens which run has changed, at the commit."""

from collections.abc import Sequence

from alembic import op

revision: str = "e7a4d2c91b30"
down_revision: str | None = "c41f0e6d92ab"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FUNCTION = """
CREATE FUNCTION pathscope_tell_of_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('pathscope_runs', CASE WHEN TG_OP = 'DELETE' THEN 'gone' ELSE NEW.id::text END);
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER pathscope_tell_of_run AFTER INSERT OR UPDATE OR DELETE ON runs
FOR EACH ROW EXECUTE FUNCTION pathscope_tell_of_run()
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(FUNCTION)
        op.execute(TRIGGER)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER pathscope_tell_of_run ON runs")
        op.execute("DROP FUNCTION pathscope_tell_of_run()")
