"""Notes that can be edited, webhooks and what they delivered, and indices for lists of thousands of runs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.db import UTCDateTime
from backend.models import Json

revision: str = "5f0a61c8d27e"
down_revision: str | None = "c41f0d7ab692"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("runs", sa.Column("notes", sa.Text(), nullable=False, server_default=""))
    runs = sa.table("runs", sa.column("notes", sa.Text()), sa.column("spec", Json))
    op.execute(runs.update().values(notes=sa.func.coalesce(runs.c.spec["notes"].as_string(), "")))
    for column in ("name", "net", "dataset"):
        op.create_index(f"ix_runs_{column}", "runs", [column, "id"])
    op.create_table(
        "webhooks",
        sa.Column("id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("created_at", UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhooks_run_id", "webhooks", ["run_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("webhook_id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "delivered", "failed", name="deliverystate", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("response", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("created_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("attempted_at", UTCDateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_deliveries_webhook_id", "webhook_deliveries", ["webhook_id"])
    op.create_index("ix_webhook_deliveries_state", "webhook_deliveries", ["state"])


def downgrade() -> None:
    op.drop_table("webhook_deliveries")
    op.drop_table("webhooks")
    for column in ("name", "net", "dataset"):
        op.drop_index(f"ix_runs_{column}", table_name="runs")
    op.drop_column("runs", "notes")
