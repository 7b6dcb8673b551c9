"""What the net says of the probe images at each recording, and what the classes are called."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "c41f0d7ab692"
down_revision: str | None = "c41d9be2a706"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    run_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "answers",
        sa.Column("run_id", run_id, nullable=False),
        sa.Column("t", sa.Integer(), nullable=False),
        sa.Column("predicted", sa.LargeBinary(), nullable=False),
        sa.Column("loss", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "t"),
    )
    op.create_table(
        "class_names",
        sa.Column("run_id", run_id, nullable=False),
        sa.Column("label", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "label"),
    )


def downgrade() -> None:
    op.drop_table("class_names")
    op.drop_table("answers")
