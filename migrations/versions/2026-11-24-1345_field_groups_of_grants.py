"""Field groups of grants: what each district accepted, and what it keeps back."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "7c1de0a9b354"
down_revision: str | None = "4edccadbf724"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ACCEPT_WHAT_IS_ASKED = """
update grants set fields = (
    select coalesce(jsonb_agg(distinct kind.key || '.' || asked.name), '[]')
    from applications,
         jsonb_each(applications.fields) as kind,
         jsonb_array_elements_text(
             coalesce(kind.value -> 'required', '[]') || coalesce(kind.value -> 'optional', '[]')
         ) as asked (name)
    where applications.id = grants.application_id and asked.name <> 'identity'
)
"""
"""Whatever an application asks for is what it receives until now."""


def upgrade() -> None:
    """Apply the change."""
    for name in ("fields", "declined"):
        empty = sa.text("'[]'")
        op.add_column(
            "grants",
            sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default=empty, nullable=False),
        )
    op.add_column("grants", sa.Column("fields_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.execute(ACCEPT_WHAT_IS_ASKED)


def downgrade() -> None:
    """Take it back."""
    for name in ("fields_revision", "declined", "fields"):
        op.drop_column("grants", name)
