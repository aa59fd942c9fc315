"""Volumes of tokens."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "d91c4ef7a806"
down_revision: str | None = "a7d30c92e5b1"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

HERE = "(select current_setting('app.district_id')::uuid)"


def upgrade() -> None:
    """Create the table, behind the policy that every table of a district has."""
    op.create_table(
        "token_volumes",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("persons", sa.BigInteger(), nullable=False),
        sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_token_volumes_district_id")),
        sa.PrimaryKeyConstraint("district_id", "token_id", "hour", name=op.f("pk_token_volumes")),
    )
    op.execute("grant select, insert, update, delete on token_volumes to sharing_application")
    op.execute("grant select, delete on token_volumes to sharing_worker")
    op.execute("alter table token_volumes enable row level security")
    op.execute("alter table token_volumes force row level security")
    op.execute(
        f"create policy district on token_volumes using (district_id = {HERE}) with check (district_id = {HERE})"
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("token_volumes")
