"""What was submitted with an Idempotency-Key stays known when the run is extended or gets another priority."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "3b9c0d5f7e12"
down_revision: str | None = "e7a4d2c91b30"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("submitted_digest", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("runs", "submitted_digest")
