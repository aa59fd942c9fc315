"""Client secrets, and the tokens that clients obtain by them.

The secrets of applications move to a table of their own, where two of one application may work at once. Their columns
in `applications` stay for the previous release, which still writes them; they are dropped one release later. An
application that it creates while both releases run has no secret here: issue one.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0c5f2a7be913"
down_revision: str | None = "7d5a1c90e2b4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BY_SECRET = sa.text("secret_id is not null")


def upgrade() -> None:
    op.create_table(
        "client_secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_client_secrets_application_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_secrets")),
    )
    op.create_index(op.f("ix_client_secrets_application_id"), "client_secrets", ["application_id"], unique=False)
    # Under the application's own id, since the database makes no UUIDv7: it sorts before every later secret.
    op.execute(
        "insert into client_secrets (id, application_id, key_id, digest, created_at, created_by)"
        ' select id, id, client_secret_key_id, client_secret_digest, created_at, \'{"role": "operator"}\''
        " from applications"
    )
    op.alter_column("applications", "client_secret_key_id", nullable=True)
    op.alter_column("applications", "client_secret_digest", nullable=True)
    op.add_column("tokens", sa.Column("secret_id", sa.Uuid(), nullable=True))
    op.add_column("tokens", sa.Column("day", sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_tokens_secret_only_if_application"), "tokens", "secret_id is null or role = 'application'"
    )
    op.create_check_constraint(
        op.f("ck_tokens_day_only_if_by_secret"), "tokens", "day is null or secret_id is not null"
    )
    op.create_index(op.f("ix_tokens_secret_id"), "tokens", ["secret_id"], postgresql_where=BY_SECRET)
    op.create_index(op.f("ix_tokens_expires_at"), "tokens", ["expires_at"], postgresql_where=BY_SECRET)
    op.create_index(
        op.f("ix_tokens_secret_id_day_district_id"),
        "tokens",
        ["secret_id", "day", "district_id"],
        unique=True,
        postgresql_where=sa.text("day is not null and revoked_at is null"),
    )


def downgrade() -> None:
    # The previous release knows one secret an application: the newest that still works, else none.
    op.execute(
        "update applications set client_secret_key_id = s.key_id, client_secret_digest = s.digest from ("
        " select distinct on (application_id) * from client_secrets where revoked_at is null"
        " order by application_id, id desc) s where s.application_id = applications.id"
    )
    op.execute(
        "update applications set client_secret_key_id = '', client_secret_digest = ''"
        " where client_secret_digest is null"
    )
    op.alter_column("applications", "client_secret_digest", nullable=False)
    op.alter_column("applications", "client_secret_key_id", nullable=False)
    # It would list them among the others and keep them for ever.
    op.execute("delete from tokens where secret_id is not null")
    op.drop_index(op.f("ix_tokens_secret_id_day_district_id"), table_name="tokens")
    op.drop_index(op.f("ix_tokens_expires_at"), table_name="tokens")
    op.drop_index(op.f("ix_tokens_secret_id"), table_name="tokens")
    op.drop_constraint(op.f("ck_tokens_day_only_if_by_secret"), "tokens")
    op.drop_constraint(op.f("ck_tokens_secret_only_if_application"), "tokens")
    op.drop_column("tokens", "day")
    op.drop_column("tokens", "secret_id")
    op.drop_table("client_secrets")
