"""Messages that test a webhook, which tell of no run."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "a91e5c3d0b76"
down_revision: str | None = "3b9c0d5f7e12"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("webhook_deliveries", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("run_id", existing_type=BigId, nullable=True)


def downgrade() -> None:
    deliveries = sa.table("webhook_deliveries", sa.column("run_id", BigId))
    op.execute(deliveries.delete().where(deliveries.c.run_id.is_(None)))
    with op.batch_alter_table("webhook_deliveries", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("run_id", existing_type=BigId, nullable=False)
