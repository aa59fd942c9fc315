"""Times of fragments."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "7d5a1c90e2b4"
down_revision: str | None = "7c1de0a9b354"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make room for the time of the last change of each fragment of a document."""
    times = sa.Column(
        "times",
        sa.Text(collation="C"),
        server_default=sa.text("''"),
        nullable=False,
        comment="of the last change of each fragment",
    )
    op.add_column("documents", times)


def downgrade() -> None:
    """Take it back."""
    op.drop_column("documents", "times")
