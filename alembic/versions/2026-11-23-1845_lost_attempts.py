"""How many attempts of a run were lost, and which attempt made each recording."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "c41d9be2a706"
down_revision: str | None = "b7d04c51e9a6"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("lost_attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("recordings", sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("recordings", "attempt")
    op.drop_column("runs", "lost_attempts")
