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
    } <= names


def test_a_login_without_rights_is_told_what_an_administrator_does(empty_database_url: str) -> None:
    """A login that owns the database and nothing else is told the statements; after them it migrates and serves.

    Catches a service that needs a superuser.
    """
    name, password = f"weak_{uuid4().hex}", uuid4().hex
    url = make_url(empty_database_url)
    own = url.set(username=name, password=password).render_as_string(hide_password=False)
    asyncio.run(run(empty_database_url, f"create role {name} login password '{password}'"))
    asyncio.run(run(empty_database_url, f"alter database {url.database} owner to {name}"))
    with pytest.raises(CommandError) as told:
        command.upgrade(configured(own), "head")
    assert "create role sharing_owner;" in str(told.value)
    [grant] = re.findall(r"grant sharing_owner[^;]*;", str(told.value))
    asyncio.run(run(empty_database_url, grant))
    command.upgrade(configured(own), "head")
    assert asyncio.run(seen_as(own, DatabaseRole.APPLICATION))
    command.downgrade(configured(own), "base")
    asyncio.run(run(empty_database_url, f"alter database {url.database} owner to current_user"))
    for gone in ("owned by", "role"):
        asyncio.run(run(empty_database_url, f"drop {gone} {name}"))


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
