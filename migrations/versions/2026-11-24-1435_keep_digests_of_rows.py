"""Keep digests of rows."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "b1f0c3a97d25"
down_revision: str | None = "0c5f2a7be913"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Create the table of what a published upload leaves behind for the comparison with the next one."""
    op.create_table(
        "row_digests",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("reading", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "name", "number", name=op.f("pk_row_digests")),
    )


def downgrade() -> None:
    """Drop it: every upload is read whole."""
    op.drop_table("row_digests")
