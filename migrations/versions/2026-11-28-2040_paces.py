"""Paces: how often tokens, districts and clients call, counted over all processes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "3d8c51a7f0b2"
down_revision: str | None = "9e4b7d02c6f1"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the table, which is written often and worth nothing after a crash."""
    op.create_table(
        "paces",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("begins", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paces")),
        prefixes=["UNLOGGED"],
    )
    op.execute("grant select, insert, update, delete on paces to sharing_application")


def downgrade() -> None:
    """Forget how often anybody called."""
    op.drop_table("paces")
