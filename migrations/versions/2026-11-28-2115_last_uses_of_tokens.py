"""Last uses of tokens."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "a7d30c92e5b1"
down_revision: str | None = "5b8e1f60a3d4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Let a token tell when it was used last."""
    op.add_column("tokens", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("tokens", "last_used_at")
