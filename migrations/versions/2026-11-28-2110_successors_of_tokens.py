"""Successors of tokens."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "5b8e1f60a3d4"
down_revision: str | None = "3d8c51a7f0b2"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Let a token name the one in whose place it was issued."""
    op.add_column("tokens", sa.Column("predecessor_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("ix_tokens_predecessor_id"),
        "tokens",
        ["predecessor_id"],
        postgresql_where=sa.text("predecessor_id is not null"),
    )


def downgrade() -> None:
    """Forget it; the tokens stay."""
    op.drop_index(op.f("ix_tokens_predecessor_id"), table_name="tokens")
    op.drop_column("tokens", "predecessor_id")
