"""The migrations: up, down, up again, and nothing left to generate."""

import asyncio
import json
import re
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.engine import make_url

from sharing_service import schema
from sharing_service.database import Database, DatabaseRole


@pytest.fixture
def empty_database_url(database_url: str) -> Iterator[str]:
    """A database of the test's own, with nothing in it."""
    name = f"migrations_{uuid4().hex}"
    asyncio.run(run(database_url, f"create database {name}"))
    yield make_url(database_url).set(database=name).render_as_string(hide_password=False)
    asyncio.run(run(database_url, f"drop database {name}"))


async def run(url: str, statement: str, *arguments: str) -> list[asyncpg.Record]:
    """Run one statement outside a transaction."""
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(False))
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
        return rows
    finally:
        await connection.close()


def configured(url: str) -> Config:
    """The configuration that the service migrates with."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["url"] = url
    return config


def tables(url: str) -> set[str]:
    """The names of all tables."""
    rows = asyncio.run(run(url, "select tablename from pg_tables where schemaname = 'public'"))
    return {row["tablename"] for row in rows}


def test_migrations_go_up_and_down_and_up_again(empty_database_url: str) -> None:
    """What a downgrade leaves behind would break the next upgrade."""
    config = configured(empty_database_url)
    command.upgrade(config, "head")
    first = tables(empty_database_url)
    command.downgrade(config, "base")
    assert tables(empty_database_url) == {"alembic_version"}
    command.upgrade(config, "head")
    assert tables(empty_database_url) == first


def test_the_models_need_no_migration(empty_database_url: str) -> None:
    """A table or column that was changed without a migration fails here."""
    config = configured(empty_database_url)
    command.upgrade(config, "head")
    command.check(config)


def test_the_invariants_stand_in_the_database(empty_database_url: str) -> None:
    """Constraints that autogenerate overlooks in a column are there: it omits a CHECK inside mapped_column."""
    command.upgrade(configured(empty_database_url), "head")
    rows = asyncio.run(run(empty_database_url, "select conname from pg_constraint where contype in ('c', 'u', 'p')"))
    names = {row["conname"] for row in rows}
    assert {
        "pk_grants",
        "ck_grants_ledger_with_sharing",
        "uq_identities_district_id_numbering_ordinal",
        "ck_syncs_status_known",
        "ck_tokens_role_known",
        "ck_revisions_number_positive",
        "pk_revisions",
        "pk_section_students",
        "pk_student_sections",
    } <= names


@pytest.fixture
def weak_database_url(empty_database_url: str) -> Iterator[str]:
    """The same database for a login that owns it and has no other right; migrations are to be undone in the end."""
    name, password = f"weak_{uuid4().hex}", uuid4().hex
    url = make_url(empty_database_url)
    asyncio.run(run(empty_database_url, f"create role {name} login password '{password}'"))
    asyncio.run(run(empty_database_url, f"alter database {url.database} owner to {name}"))
    yield url.set(username=name, password=password).render_as_string(hide_password=False)
    asyncio.run(run(empty_database_url, f"alter database {url.database} owner to current_user"))
    for gone in ("owned by", "role"):
        asyncio.run(run(empty_database_url, f"drop {gone} {name}"))


def test_a_login_without_rights_is_told_what_an_administrator_does(
    empty_database_url: str, weak_database_url: str
) -> None:
    """A login that owns the database and nothing else is told the statements; after them it migrates and serves.

    Catches a service that needs a superuser.
    """
    with pytest.raises(CommandError) as told:
        command.upgrade(configured(weak_database_url), "head")
    assert "create role sharing_owner;" in str(told.value)
    [grant] = re.findall(r"grant sharing_owner[^;]*;", str(told.value))
    asyncio.run(run(empty_database_url, grant))
    command.upgrade(configured(weak_database_url), "head")
    assert asyncio.run(seen_as(weak_database_url, DatabaseRole.APPLICATION))
    command.downgrade(configured(weak_database_url), "base")


OUR_ROLES = r"select rolname from pg_roles where rolname like 'sharing\_%'"
BEFORE_ARRAYS = "b3f6a90d5c17"
PAIRS = "select district_id::text, section, student from enrollments order by 1, 2, 3"
SECTIONS = "select district_id::text, section, students from section_students order by 1, 2"
STUDENTS = "select district_id::text, student, sections from student_sections order by 1, 2"


def test_enrollments_are_kept(empty_database_url: str, weak_database_url: str) -> None:
    """Pairs of every district become arrays of both sides, ascending, and pairs again, though no superuser migrates.

    Catches an owner of tables who sees no rows, or those of one district, and sides that are taken for each other.
    """
    config = configured(weak_database_url)
    roles = ", ".join(row["rolname"] for row in asyncio.run(run(empty_database_url, OUR_ROLES)))
    asyncio.run(run(empty_database_url, f"grant {roles} to {make_url(weak_database_url).username}"))
    command.upgrade(config, BEFORE_ARRAYS)
    one, other = sorted(str(uuid4()) for _ in range(2))
    pairs = [(one, 1, 5), (one, 1, 7), (one, 2, 5), (other, 1, 1), (other, 3, 1), (other, 3, 9)]
    for district, section, student in reversed(pairs):
        row = f"insert into enrollments values ('{district}', {section}, {student})"
        asyncio.run(run(empty_database_url, row))
    command.upgrade(config, "head")
    of_sections = [(one, 1, [5, 7]), (one, 2, [5]), (other, 1, [1]), (other, 3, [1, 9])]
    assert found(empty_database_url, SECTIONS) == of_sections
    of_students = [(one, 5, [1, 2]), (one, 7, [1]), (other, 1, [1, 3]), (other, 9, [3])]
    assert found(empty_database_url, STUDENTS) == of_students
    command.downgrade(config, BEFORE_ARRAYS)
    assert found(empty_database_url, PAIRS) == pairs
    command.downgrade(config, "base")


def found(url: str, query: str) -> list[tuple[object, ...]]:
    """The rows of a query, as a superuser sees them."""
    return [tuple(row) for row in asyncio.run(run(url, query))]


async def seen_as(url: str, role: DatabaseRole) -> bool:
    """Whether a role finds the newest schema."""
    database = Database(url, role=role)
    async with database.read() as session:
        found = await schema.is_current(session)
    await database.close()
    return found


BEFORE_FIELDS = "4edccadbf724"
TUTOR = {"students": {"required": ["identity", "email"], "optional": ["email", "ext"]}, "staff": {"optional": ["ext"]}}
APPLICATION = """
    insert into applications (id, name, fields, client_id, client_secret_key_id, client_secret_digest)
    values ($1::text::uuid, '', $2::text::jsonb, $1::text, '', '')
"""
DISTRICT = "insert into districts (id, name) values ($1::text::uuid, '')"
GRANT = """
    insert into grants (district_id, application_id, revision, decided_revision)
    values ($1::text::uuid, $2::text::uuid, 1, 1)
"""


def test_grants_keep_their_fields(empty_database_url: str) -> None:
    """Grants from before fields were accepted receive what their applications ask for, as they did."""
    config = configured(empty_database_url)
    command.upgrade(config, BEFORE_FIELDS)
    district, tutor, choir = (str(uuid4()) for _ in range(3))
    for statement, *arguments in (
        (APPLICATION, tutor, json.dumps(TUTOR)),
        (APPLICATION, choir, "{}"),
        (DISTRICT, district),
        (GRANT, district, tutor),
        (GRANT, district, choir),
    ):
        asyncio.run(run(empty_database_url, statement, *arguments))
    command.upgrade(config, "head")
    rows = asyncio.run(run(empty_database_url, "select fields from grants"))
    assert sorted(json.loads(row["fields"]) for row in rows) == [[], ["staff.ext", "students.email", "students.ext"]]
