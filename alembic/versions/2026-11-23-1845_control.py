"""Pausing, priorities, kinds of device, sweeps, and what workers say of their machine."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "c41f0e6d92ab"
down_revision: str | None = "5f0a61c8d27e"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("request", Json, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    # Column by column, never in batch mode: that would copy `runs`, and all that hangs on it goes with the old one.
    op.add_column("runs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("device", sa.String(10), nullable=False, server_default="auto"))
    op.add_column("runs", sa.Column("pause_requested_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("runs", sa.Column("sweep_id", BigId, nullable=True))
    op.create_index("ix_runs_sweep_id", "runs", ["sweep_id"])
    extract = "spec ->> 'device'" if op.get_bind().dialect.name == "postgresql" else "json_extract(spec, '$.device')"
    op.execute(f"UPDATE runs SET device = coalesce({extract}, 'auto')")  # noqa: S608
    op.add_column("workers", sa.Column("host", sa.String(200), nullable=False, server_default=""))
    op.add_column("workers", sa.Column("slots", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("workers", sa.Column("has_gpu", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("workers", sa.Column("load", Json, nullable=True))


def downgrade() -> None:
    for column in ("load", "has_gpu", "slots", "host"):
        op.drop_column("workers", column)
    op.drop_index("ix_runs_sweep_id", "runs")
    for column in ("sweep_id", "pause_requested_at", "device", "priority"):
        op.drop_column("runs", column)
    op.drop_table("sweeps")
