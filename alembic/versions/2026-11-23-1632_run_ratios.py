"""Early-to-mid ratios of runs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "5d1c6a0f2b47"
down_revision: str | None = "0b0752651288"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "run_ratios",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "quantity", sa.Enum("path", "activation", name="quantity", native_enum=False, length=20), nullable=False
        ),
        sa.Column("early", sa.Double(), nullable=True),
        sa.Column("mid", sa.Double(), nullable=True),
        sa.Column("ratio", sa.Double(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column(
            "layers",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "quantity"),
    )


def downgrade() -> None:
    op.drop_table("run_ratios")
