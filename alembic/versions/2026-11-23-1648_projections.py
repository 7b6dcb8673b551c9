"""Projections along earlier paths."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "8e2b7f90c3d1"
down_revision: str | None = "5d1c6a0f2b47"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "projections",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("t", sa.Integer(), nullable=False),
        sa.Column("s", sa.Integer(), nullable=False),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("accuracy", sa.Double(), nullable=True),
        sa.Column("undefined", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "t", "s"),
    )


def downgrade() -> None:
    op.drop_table("projections")
