"""Records by ordinal."""

from collections.abc import Sequence

from alembic import op

revision: str = "b3f6a90d5c17"
down_revision: str | None = "d91c4ef7a806"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KINDS = ("schools", "terms", "courses", "sections", "students", "teachers", "staff", "contacts")


def upgrade() -> None:
    """Let go of indexes by id: identities have one, and through their ordinals every record is found.

    Each table is locked for a moment, so this waits for syncs and exports that are at work.
    """
    for kind in KINDS:
        op.drop_constraint(op.f(f"uq_{kind}_district_id_id"), kind)


def downgrade() -> None:
    """Index records by id."""
    for kind in KINDS:
        op.create_unique_constraint(op.f(f"uq_{kind}_district_id_id"), kind, ["district_id", "id"])
