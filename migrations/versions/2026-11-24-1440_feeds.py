"""Feeds."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "c2f09b8d6a17"
down_revision: str | None = "b1f0c3a97d25"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Create the feeds of grants, and what a grant knows of its cursors."""
    op.add_column(
        "grants", sa.Column("connected_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("grants", sa.Column("expired_event", sa.Uuid(), nullable=True))
    op.create_table(
        "feed",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.LargeBinary(), nullable=False),
        sa.Column("updated", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["district_id", "application_id"],
            ["grants.district_id", "grants.application_id"],
            name=op.f("fk_feed_district_id_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("district_id", "application_id", "revision", "place", name=op.f("pk_feed")),
    )


def downgrade() -> None:
    """Take them back."""
    op.drop_table("feed")
    op.drop_column("grants", "expired_event")
    op.drop_column("grants", "connected_revision")
