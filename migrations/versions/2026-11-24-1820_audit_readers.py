"""Audit readers."""

from collections.abc import Sequence

from alembic import op

revision: str = "e4a7c51d9b38"
down_revision: str | None = "c2f09b8d6a17"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ROLE_KNOWN = "ck_tokens_role_known"


def upgrade() -> None:
    """Let a token be an audit reader's."""
    op.drop_constraint(op.f(ROLE_KNOWN), "tokens", type_="check")
    op.create_check_constraint(
        op.f(ROLE_KNOWN),
        "tokens",
        "role in ('operator', 'district_admin', 'school_lead', 'audit_reader', 'application')",
    )


def downgrade() -> None:
    """Take back the role with the tokens that have it: the release before knows of none."""
    op.execute("delete from tokens where role = 'audit_reader'")
    op.drop_constraint(op.f(ROLE_KNOWN), "tokens", type_="check")
    op.create_check_constraint(
        op.f(ROLE_KNOWN), "tokens", "role in ('operator', 'district_admin', 'school_lead', 'application')"
    )
