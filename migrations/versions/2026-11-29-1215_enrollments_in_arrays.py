"""Enrollments in arrays."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "5c20e8d7b1a4"
down_revision: str | None = "b3f6a90d5c17"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SIDES = {"section_students": ("section", "students"), "student_sections": ("student", "sections")}
OTHERS = {"students": "student", "sections": "section"}
HERE = "(select current_setting('app.district_id')::uuid)"

RECORDS = ("schools", "terms", "courses", "students", "teachers", "staff", "contacts")
LINKS = "section_teachers, school_people, contact_students"
STATISTICS = f"""
create or replace function refresh_statistics() returns void language plpgsql security definer as $$
begin
    analyze {", ".join(f"{kind} (district_id, ordinal)" for kind in RECORDS)},
        sections (district_id, ordinal, school, course, term), {LINKS}, {{enrollments}};
end
$$
"""
ARRAYS = ", ".join(f"{table} (district_id, {owner})" for table, (owner, _) in SIDES.items())


def upgrade() -> None:
    """Keep the students of a section, and the sections of a student, in one row each instead of one row for each pair.

    Stop the previous release before: whoever reads enrollments waits for this migration, and then fails.
    """
    op.execute("alter table enrollments no force row level security")  # so that the owner sees all districts
    for table, (owner, others) in SIDES.items():
        op.create_table(
            table,
            sa.Column("district_id", sa.Uuid(), nullable=False),
            sa.Column(owner, sa.Integer(), nullable=False),
            sa.Column(others, sa.ARRAY(sa.Integer()), nullable=False, comment="ascending"),
            sa.PrimaryKeyConstraint("district_id", owner, name=op.f(f"pk_{table}")),
        )
        op.execute(
            f"insert into {table} select district_id, {owner}, array_agg({OTHERS[others]} order by {OTHERS[others]})"  # noqa: S608 - names of ours
            f" from enrollments group by district_id, {owner} order by district_id, {owner}"
        )
        _protect(table)
    op.drop_table("enrollments")
    op.execute(f"analyze {ARRAYS}")
    _replace_statistics(ARRAYS)


def downgrade() -> None:
    """Keep a row for each pair."""
    op.create_table(
        "enrollments",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.Integer(), nullable=False),
        sa.Column("student", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "section", "student", name=op.f("pk_enrollments")),
    )
    op.execute("alter table section_students no force row level security")
    op.execute("insert into enrollments select district_id, section, unnest(students) from section_students")
    op.create_index(
        op.f("ix_enrollments_district_id_student_section"), "enrollments", ["district_id", "student", "section"]
    )
    _protect("enrollments")
    for table in SIDES:
        op.drop_table(table)
    _replace_statistics("enrollments")


def _protect(table: str) -> None:
    op.execute(f"grant select on {table} to sharing_application, sharing_partner")
    op.execute(f"grant select, insert, update, delete on {table} to sharing_worker")
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy district on {table} using (district_id = {HERE}) with check (district_id = {HERE})")


def _replace_statistics(enrollments: str) -> None:
    op.execute(STATISTICS.format(enrollments=enrollments))
    schema = op.get_bind().execute(sa.text("select quote_ident(current_schema())")).scalar_one()
    op.execute(f"alter function refresh_statistics set search_path = {schema}, pg_temp")
