"""Roles of the database, and row level security on every table of a district.

The previous release goes on working beside it where its login is a superuser. The statements of any other login fail
until the new release is started: they do not say yet in which district they are.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.exc import ProgrammingError

revision: str = "9e4b7d02c6f1"
down_revision: str | None = "e4a7c51d9b38"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OWNER, APPLICATION, PARTNER = "sharing_owner", "sharing_application", "sharing_partner"
WORKER, AUDIT = "sharing_worker", "sharing_audit"
ROLES = (OWNER, APPLICATION, PARTNER, WORKER, AUDIT)

RECORDS = "schools, terms, courses, sections, students, teachers, staff, contacts"
LINKS = "enrollments, section_teachers, school_people, contact_students"
ROSTER = f"{RECORDS}, {LINKS}, identities, ordinal_counters, documents, row_digests"
SHARED = "grants, ledgers, feed"
DECIDED = "sharing_versions, site_selections, blocks, revisions"
UPLOADED = "syncs, upload_files, upload_chunks"
TOLD = "audit_entries, disclosures"
OF_A_DISTRICT = f"{ROSTER}, {SHARED}, {DECIDED}, {UPLOADED}, {TOLD}, tokens"
OF_ALL = "districts, applications, client_secrets, idempotency_keys"

RIGHTS = {
    APPLICATION: {
        f"{ROSTER}, disclosures, alembic_version": "select",
        "audit_entries, revisions, sharing_versions": "select, insert",
        f"{SHARED}, site_selections, blocks, {UPLOADED}, tokens, {OF_ALL}": "select, insert, update, delete",
        "pgqueuer, pgqueuer_log": "select, insert",
    },
    PARTNER: {
        f"{LINKS}, sections, identities, documents, {SHARED}, tokens, districts": "select",
        "disclosures": "insert",
    },
    WORKER: {
        f"{ROSTER}, {SHARED}, {DECIDED}, {UPLOADED}, disclosures, tokens": "select, insert, update, delete",
        "audit_entries": "select, insert",
        "districts": "select, update",
        "idempotency_keys": "select, delete",
        "applications, alembic_version": "select",
        "pgqueuer, pgqueuer_log, pgqueuer_schedules, pgqueuer_statistics": "select, insert, update, delete",
    },
    AUDIT: {
        f"{TOLD}, revisions, districts": "select",
        "applications": "select (id, name, created_at, deleted_at)",
    },
}
"""What each role may do with which tables. Nobody but the owner changes the trail."""

# In a query of its own the setting is read once a statement and not once a row. A setting that was never made is an
# error, and so is the empty one that an earlier transaction of the connection leaves behind.
HERE = "(select current_setting('app.district_id')::uuid)"
SERVICE = "'00000000-0000-0000-0000-000000000000'"
# The empty digest would find nothing and say nothing; the empty district is an error.
PRESENTED = f"(select decode(current_setting('app.token_digest'), 'hex') where {HERE} is not null)"
ADMITTED = f"""(
    select t.application_id from tokens t
    where t.digest = {PRESENTED} and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
)"""  # noqa: S608 - names of ours

STATISTICS = f"""
create function refresh_statistics() returns void language plpgsql security definer as $$
begin
    analyze {", ".join(f"{kind} (district_id, ordinal)" for kind in RECORDS.split(", ") if kind != "sections")},
        sections (district_id, ordinal, school, course, term), {LINKS};
end
$$
"""
"""The columns by which a sync joins. Only the owner of a table may analyse it before PostgreSQL 17."""

ADMINISTRATOR = (
    "The login {login} may not make the roles of the service. Let an administrator of the server run"
    " `{create}` (without those that are there) and `grant {roles} to {login};`, then migrate again."
)


def upgrade() -> None:
    """Make the roles, give them the tables, and let every role see one district at a time."""
    _make_roles()
    schema = _one("select quote_ident(current_schema())")
    op.execute(f"grant usage on schema {schema} to {', '.join(ROLES)}")
    op.execute(f"grant create on schema {schema} to {OWNER}")
    op.execute(STATISTICS)
    op.execute(f"alter function refresh_statistics set search_path = {schema}, pg_temp")
    op.execute("revoke execute on function refresh_statistics from public")
    op.execute(f"grant execute on function refresh_statistics to {WORKER}")
    for role, rights in RIGHTS.items():
        for tables, privileges in rights.items():
            op.execute(f"grant {privileges} on {tables} to {role}")
    for sequence in _of_queue("S"):
        op.execute(f"grant usage on sequence {sequence} to {APPLICATION}, {WORKER}")
    if not _one(f"select has_database_privilege('{WORKER}', current_database(), 'temporary')"):
        op.execute(f"grant temporary on database {_one('select quote_ident(current_database())')} to {WORKER}")
    for table in OF_A_DISTRICT.split(", "):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy district on {table} using (district_id = {HERE}) with check (district_id = {HERE})")
    # The operator's tokens are of no district, and the operator lists and revokes those of all.
    op.execute(f"create policy service on tokens to {APPLICATION} using ({HERE} = {SERVICE})")
    op.execute(f"create policy presented on tokens as restrictive to {PARTNER} using (digest = {PRESENTED})")
    for table in SHARED.split(", "):
        op.execute(
            f"create policy presented on {table} as restrictive to {PARTNER} using (application_id = {ADMITTED})"
        )
    for table in ("audit_entries", "disclosures", "revisions"):
        op.execute(f"create policy audit on {table} for select to {AUDIT} using (true)")
    for owned in _owned():
        op.execute(f"alter {owned} owner to {OWNER}")
    op.execute(f"set role {OWNER}")  # as migrations/env.py does from the next one on


def downgrade() -> None:
    """Give everything back to the login. The roles stay: other databases of the server may use them."""
    op.execute("reset role")
    for owned in _owned():
        op.execute(f"alter {owned} owner to session_user")
    op.execute("drop function refresh_statistics")
    for table in ("audit_entries", "disclosures", "revisions"):
        op.execute(f"drop policy audit on {table}")
    for table in ("tokens", *SHARED.split(", ")):
        op.execute(f"drop policy presented on {table}")
    op.execute("drop policy service on tokens")
    for table in OF_A_DISTRICT.split(", "):
        op.execute(f"drop policy district on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
    schema = _one("select quote_ident(current_schema())")
    for what in ("all tables in schema", "all sequences in schema", "schema"):
        op.execute(f"revoke all on {what} {schema} from {', '.join(ROLES)}")
    database = _one("select quote_ident(current_database())")
    op.execute(f"revoke all on database {database} from {', '.join(ROLES)}")


def _of_queue(kind: str) -> Sequence[str]:
    """The names of what the job queue has of a kind of relation."""
    here = f"relkind = '{kind}' and relnamespace = current_schema()::regnamespace"
    of_queue = f"{here} and starts_with(relname, 'pgqueuer')"
    return _all(f"select quote_ident(relname) from pg_class where {of_queue}")  # noqa: S608 - a letter of ours


def _owned() -> Iterator[str]:
    yield "function refresh_statistics"
    for table in (*OF_A_DISTRICT.split(", "), *OF_ALL.split(", "), "alembic_version"):
        yield f"table {table}"
    for table in _of_queue("r"):
        yield f"table {table}"


def _make_roles() -> None:
    """Make the roles that the server lacks and let the login take them on, or tell an administrator how."""
    login = _one("select quote_ident(current_user)")
    superuser = _one("select rolsuper from pg_roles where rolname = current_user")
    try:
        for role in ROLES:
            # Roles are of the whole server, where another database may be migrated at the same time.
            op.execute(
                f"do $$ begin if to_regrole('{role}') is null then create role {role}; end if;"
                " exception when duplicate_object or unique_violation then null; end $$"
            )
        if not superuser and not all(_may_become(role) for role in ROLES):
            op.execute(f"grant {', '.join(ROLES)} to {login}")
    except ProgrammingError as error:
        create = "; ".join(f"create role {role}" for role in ROLES)
        raise CommandError(ADMINISTRATOR.format(login=login, create=create, roles=", ".join(ROLES))) from error


def _may_become(role: str) -> bool:
    # From PostgreSQL 16 on a member may be one who only administers the role.
    mode = "SET" if int(_one("show server_version_num")) >= 160_000 else "MEMBER"
    return bool(_one(f"select pg_has_role('{role}', '{mode}')"))


def _one(query: str) -> Any:
    return _all(query)[0]


def _all(query: str) -> Sequence[Any]:
    return op.get_bind().execute(sa.text(query)).scalars().all()
