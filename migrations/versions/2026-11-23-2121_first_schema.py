"""First schema."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from sqlalchemy.dialects import postgresql

revision: str = "4edccadbf724"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _run(script: str) -> None:
    """Run a script of several statements, which prepared statements do not take."""
    connection = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(script))  # type: ignore[union-attr]


def upgrade() -> None:
    """Create every table, the collation of rules and the tables of the job queue."""
    # lower() of rules and searches: the C library's full Unicode letters, the same on every supported PostgreSQL.
    op.execute("create collation unicode_letters (provider = libc, locale = 'C.UTF-8')")
    _run(QueryBuilderEnvironment().build_install_query())
    op.create_table(
        "applications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("recommended_sharing", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("client_id", sa.Text(collation="C"), nullable=False),
        sa.Column("client_secret_key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("client_secret_digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("client_id", name=op.f("uq_applications_client_id")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("caller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subject", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_audit_entries")),
    )
    op.create_table(
        "contact_students",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("contact", sa.Integer(), nullable=False),
        sa.Column("student", sa.Integer(), nullable=False),
        sa.Column("relationship", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("type", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "contact", "student", name=op.f("pk_contact_students")),
    )
    op.create_index(
        op.f("ix_contact_students_district_id_student_contact"),
        "contact_students",
        ["district_id", "student", "contact"],
        unique=False,
    )
    op.create_table(
        "contacts",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sis_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("phone", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("phone_type", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("email", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "ordinal", name=op.f("pk_contacts")),
        sa.UniqueConstraint("district_id", "id", name=op.f("uq_contacts_district_id_id")),
    )
    op.create_table(
        "courses",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("number", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "ordinal", name=op.f("pk_courses")),
        sa.UniqueConstraint("district_id", "id", name=op.f("uq_courses_district_id_id")),
    )
    op.create_table(
        "districts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("published_revision", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erasing_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_districts")),
    )
    op.create_table(
        "documents",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("numbering", sa.Text(collation="C"), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("head", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("email", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("identity", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("numbers", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("demographics", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("address", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("credentials", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("ext", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "schools",
            sa.ARRAY(sa.Integer()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="where a person is",
        ),
        sa.Column("referring", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "numbering", "ordinal", name=op.f("pk_documents")),
    )
    op.create_table(
        "enrollments",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.Integer(), nullable=False),
        sa.Column("student", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "section", "student", name=op.f("pk_enrollments")),
    )
    op.create_index(
        op.f("ix_enrollments_district_id_student_section"),
        "enrollments",
        ["district_id", "student", "section"],
        unique=False,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("answer", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "identities",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("numbering", sa.Text(collation="C"), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "kind", "key", name=op.f("pk_identities")),
        sa.UniqueConstraint(
            "district_id", "numbering", "ordinal", name=op.f("uq_identities_district_id_numbering_ordinal")
        ),
    )
    op.create_index(
        op.f("ix_identities_district_id_numbering_id"),
        "identities",
        ["district_id", "numbering", "id"],
        unique=True,
        postgresql_include=["ordinal", "kind"],
    )
    op.create_table(
        "school_people",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("school", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "position",
            sa.SmallInteger(),
            nullable=True,
            comment="0 is the home school; null: only through a section there",
        ),
        sa.PrimaryKeyConstraint("district_id", "person", "school", name=op.f("pk_school_people")),
    )
    op.create_index(
        op.f("ix_school_people_district_id_school_kind_person"),
        "school_people",
        ["district_id", "school", "kind", "person"],
        unique=False,
        postgresql_include=["position"],
    )
    op.create_table(
        "schools",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sis_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("school_number", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("state_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("nces_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("low_grade", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("high_grade", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("principal", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("principal_email", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("address", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("city", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("zip", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("phone", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("ext", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "ordinal", name=op.f("pk_schools")),
        sa.UniqueConstraint("district_id", "id", name=op.f("uq_schools_district_id_id")),
    )
    op.create_table(
        "section_teachers",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.Integer(), nullable=False),
        sa.Column("teacher", sa.Integer(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="0 is the primary teacher"),
        sa.PrimaryKeyConstraint("district_id", "section", "teacher", name=op.f("pk_section_teachers")),
    )
    op.create_index(
        op.f("ix_section_teachers_district_id_teacher_section"),
        "section_teachers",
        ["district_id", "teacher", "section"],
        unique=False,
        postgresql_include=["position"],
    )
    op.create_table(
        "sections",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sis_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("source_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("section_number", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("grade", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("course_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("course_number", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("course_description", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("period", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("subject", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("term_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("term_start", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("term_end", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("ext", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("school", sa.Integer(), nullable=False),
        sa.Column("course", sa.Integer(), nullable=True),
        sa.Column("term", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "ordinal", name=op.f("pk_sections")),
        sa.UniqueConstraint("district_id", "id", name=op.f("uq_sections_district_id_id")),
    )
    op.create_index(
        op.f("ix_sections_district_id_course_ordinal"), "sections", ["district_id", "course", "ordinal"], unique=False
    )
    op.create_index(
        op.f("ix_sections_district_id_school_ordinal"), "sections", ["district_id", "school", "ordinal"], unique=False
    )
    op.create_index(
        op.f("ix_sections_district_id_term_ordinal"), "sections", ["district_id", "term", "ordinal"], unique=False
    )
    op.create_table(
        "staff",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sis_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("last_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("first_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("email", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("title", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("department", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("role", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("username", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("ext", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "ordinal", name=op.f("pk_staff")),
        sa.UniqueConstraint("district_id", "id", name=op.f("uq_staff_district_id_id")),
    )
    op.create_table(
        "students",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sis_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("last_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("first_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("middle_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("student_number", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("state_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("grade", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("graduation_year", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("email", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("gender", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("dob", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("race", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("hispanic_ethnicity", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("home_language", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("ell_status", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("frl_status", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("iep_status", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("street", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("city", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("zip", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("username", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("ext", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "ordinal", name=op.f("pk_students")),
        sa.UniqueConstraint("district_id", "id", name=op.f("uq_students_district_id_id")),
    )
    op.create_table(
        "teachers",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sis_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("last_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("first_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("middle_name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("teacher_number", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("state_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("email", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("title", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("username", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("ext", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "ordinal", name=op.f("pk_teachers")),
        sa.UniqueConstraint("district_id", "id", name=op.f("uq_teachers_district_id_id")),
    )
    op.create_table(
        "terms",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("start_date", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("end_date", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "ordinal", name=op.f("pk_terms")),
        sa.UniqueConstraint("district_id", "id", name=op.f("uq_terms_district_id_id")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("district_id", sa.Uuid(), nullable=True),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.Column("school_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("label", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(role = 'application') = (application_id is not null)",
            name=op.f("ck_tokens_application_only_if_application"),
        ),
        sa.CheckConstraint(
            "(role = 'operator') = (district_id is null)", name=op.f("ck_tokens_district_unless_operator")
        ),
        sa.CheckConstraint(
            "(role = 'school_lead') = (school_ids is not null)", name=op.f("ck_tokens_schools_only_if_school_lead")
        ),
        sa.CheckConstraint(
            "role in ('operator', 'district_admin', 'school_lead', 'application')", name=op.f("ck_tokens_role_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    op.create_index(
        op.f("ix_tokens_district_id_application_id"), "tokens", ["district_id", "application_id"], unique=False
    )
    op.create_table(
        "upload_chunks",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("sync_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "sync_id", "position", "number", name=op.f("pk_upload_chunks")),
    )
    # Compressing an upload that is gone within the hour costs more than writing it.
    op.execute("alter table upload_chunks alter column data set storage external")
    op.create_table(
        "upload_files",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("sync_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_archive", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "sync_id", "position", name=op.f("pk_upload_files")),
    )
    op.create_table(
        "blocks",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("caller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("kind in ('students', 'teachers', 'staff')", name=op.f("ck_blocks_kind_is_person")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_blocks_application_id")),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_blocks_district_id")),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_blocks")),
        sa.UniqueConstraint(
            "district_id",
            "person",
            "application_id",
            name=op.f("uq_blocks_district_id_person_application_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "disclosures",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("field_groups", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("persons", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_disclosures_district_id")),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_disclosures")),
    )
    op.create_index(
        op.f("ix_disclosures_district_id_application_id_at"),
        "disclosures",
        ["district_id", "application_id", "at"],
        unique=False,
    )
    op.create_table(
        "ledgers",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("schools", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("courses", sa.LargeBinary(), nullable=False),
        sa.Column("sections", sa.LargeBinary(), nullable=False),
        sa.Column("students", sa.LargeBinary(), nullable=False),
        sa.Column("teachers", sa.LargeBinary(), nullable=False),
        sa.Column("staff", sa.LargeBinary(), nullable=False),
        sa.Column("contacts", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_ledgers_district_id")),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_ledgers")),
    )
    op.create_index(
        op.f("ix_ledgers_district_id_application_id"), "ledgers", ["district_id", "application_id"], unique=False
    )
    op.create_table(
        "ordinal_counters",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("numbering", sa.Text(collation="C"), nullable=False),
        sa.Column("next_ordinal", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_id_time", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_ordinal_counters_district_id")),
        sa.PrimaryKeyConstraint("district_id", "numbering", name=op.f("pk_ordinal_counters")),
    )
    op.create_table(
        "revisions",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("caller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_revisions_number_positive")),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_revisions_district_id")),
        sa.PrimaryKeyConstraint("district_id", "number", name=op.f("pk_revisions")),
    )
    op.create_table(
        "sharing_versions",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("caller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_sharing_versions_application_id")
        ),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_sharing_versions_district_id")),
        sa.PrimaryKeyConstraint("district_id", "application_id", "version", name=op.f("pk_sharing_versions")),
    )
    op.create_table(
        "syncs",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(collation="C"), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("released", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("progress", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("problems", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("problem_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("caller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "status in ('queued', 'running', 'published', 'checked', 'held', 'failed', 'discarded')",
            name=op.f("ck_syncs_status_known"),
        ),
        sa.CheckConstraint("progress between 0 and 1", name=op.f("ck_syncs_progress_between_0_and_1")),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_syncs_district_id")),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_syncs")),
    )
    op.create_index(
        "uq_syncs_one_held", "syncs", ["district_id"], unique=True, postgresql_where=sa.text("status = 'held'")
    )
    op.create_index(
        "uq_syncs_one_fingerprint",
        "syncs",
        ["district_id"],
        unique=True,
        postgresql_where=sa.text("fingerprint is not null"),
    )
    op.create_table(
        "grants",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("sharing", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("decided_revision", sa.BigInteger(), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(sharing is null) = (ledger_id is null)", name=op.f("ck_grants_ledger_with_sharing")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_grants_application_id")),
        sa.ForeignKeyConstraint(
            ["district_id", "ledger_id"],
            ["ledgers.district_id", "ledgers.id"],
            name=op.f("fk_grants_district_id_ledger_id"),
        ),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_grants_district_id")),
        sa.PrimaryKeyConstraint("district_id", "application_id", name=op.f("pk_grants")),
    )
    op.create_table(
        "site_selections",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("school", sa.Integer(), nullable=False),
        sa.Column("selection", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("caller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["district_id", "application_id"],
            ["grants.district_id", "grants.application_id"],
            name=op.f("fk_site_selections_district_id_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("district_id", "application_id", "school", name=op.f("pk_site_selections")),
    )


def downgrade() -> None:
    """Take it back."""
    _run(QueryBuilderEnvironment().build_uninstall_query())
    op.execute("drop collation unicode_letters")
    op.drop_table("site_selections")
    op.drop_table("grants")
    op.drop_index("uq_syncs_one_fingerprint", table_name="syncs", postgresql_where=sa.text("fingerprint is not null"))
    op.drop_index("uq_syncs_one_held", table_name="syncs", postgresql_where=sa.text("status = 'held'"))
    op.drop_table("syncs")
    op.drop_table("sharing_versions")
    op.drop_table("revisions")
    op.drop_table("ordinal_counters")
    op.drop_index(op.f("ix_ledgers_district_id_application_id"), table_name="ledgers")
    op.drop_table("ledgers")
    op.drop_index(op.f("ix_disclosures_district_id_application_id_at"), table_name="disclosures")
    op.drop_table("disclosures")
    op.drop_table("blocks")
    op.drop_table("upload_files")
    op.drop_table("upload_chunks")
    op.drop_index(op.f("ix_tokens_district_id_application_id"), table_name="tokens")
    op.drop_table("tokens")
    op.drop_table("terms")
    op.drop_table("teachers")
    op.drop_table("students")
    op.drop_table("staff")
    op.drop_index(op.f("ix_sections_district_id_term_ordinal"), table_name="sections")
    op.drop_index(op.f("ix_sections_district_id_school_ordinal"), table_name="sections")
    op.drop_index(op.f("ix_sections_district_id_course_ordinal"), table_name="sections")
    op.drop_table("sections")
    op.drop_index(
        op.f("ix_section_teachers_district_id_teacher_section"),
        table_name="section_teachers",
        postgresql_include=["position"],
    )
    op.drop_table("section_teachers")
    op.drop_table("schools")
    op.drop_index(
        op.f("ix_school_people_district_id_school_kind_person"),
        table_name="school_people",
        postgresql_include=["position"],
    )
    op.drop_table("school_people")
    op.drop_index(
        op.f("ix_identities_district_id_numbering_id"), table_name="identities", postgresql_include=["ordinal", "kind"]
    )
    op.drop_table("identities")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(op.f("ix_enrollments_district_id_student_section"), table_name="enrollments")
    op.drop_table("enrollments")
    op.drop_table("documents")
    op.drop_table("districts")
    op.drop_table("courses")
    op.drop_table("contacts")
    op.drop_index(op.f("ix_contact_students_district_id_student_contact"), table_name="contact_students")
    op.drop_table("contact_students")
    op.drop_table("audit_entries")
    op.drop_table("applications")
