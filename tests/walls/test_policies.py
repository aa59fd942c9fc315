"""Row level security: one district at a time, and for a partner one application, in every table that there is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import pytest
from asyncpg.exceptions import InsufficientPrivilegeError, InvalidTextRepresentationError, UndefinedObjectError

from sharing_service.database import SERVICE, Database, DatabaseRole
from tests.walls.rows import Filled, Table, connected

SERVING: Final = (DatabaseRole.APPLICATION, DatabaseRole.PARTNER, DatabaseRole.WORKER)
PRESENTED: Final = {"tokens", "grants", "ledgers", "feed"}
"""What a partner sees only of the application whose token it presents."""


@asynccontextmanager
async def undone(connection: asyncpg.Connection, **settings: str) -> AsyncIterator[None]:
    """A transaction with these settings, of which nothing stays."""
    transaction = connection.transaction()
    await transaction.start()
    for name, value in settings.items():
        await connection.execute(f"set local app.{name} = '{value}'")
    yield
    await transaction.rollback()


async def allowed(connection: asyncpg.Connection, tables: Sequence[Table], privilege: str) -> list[Table]:
    """The tables with which the role of a connection may do something."""
    may = "select has_table_privilege($1::text, $2::text)"
    return [table for table in tables if await connection.fetchval(may, table.name, privilege)]


async def changed(connection: asyncpg.Connection, statement: str) -> int:
    """How many rows a statement changes."""
    return int((await connection.execute(statement)).split()[-1])


@asynccontextmanager
async def as_role(database_url: str, role: DatabaseRole) -> AsyncIterator[asyncpg.Connection]:
    """A new connection in a role."""
    async with connected(Database(database_url, role=role)) as connection:
        yield connection


@pytest.mark.parametrize("role", SERVING)
@pytest.mark.asvs("V8.4.1", "V16.5.3")
async def test_without_a_district_every_read_is_an_error(database_url: str, rows: Filled, role: DatabaseRole) -> None:
    """Whoever forgets to say in which district it is gets an error, on a new connection and on a used one.

    Catches a policy that takes a missing setting for no district, whose wrong empty answer deletes rosters, or for all.
    """
    async with as_role(database_url, role) as connection:
        readable = await allowed(connection, rows.tables, "SELECT")
        assert len(readable) >= 10
        for error in (UndefinedObjectError, InvalidTextRepresentationError):
            for table in readable:
                with pytest.raises(error):
                    await connection.fetch(f"select from {table.name}")
            # From now on the setting is known to the connection, and empty.
            async with undone(connection, district_id=str(rows.here), token_digest=rows.digests[0].hex()):
                pass


@pytest.mark.parametrize("role", SERVING)
@pytest.mark.asvs("V8.4.1")
async def test_another_district_is_not_there(database_url: str, rows: Filled, role: DatabaseRole) -> None:
    """In one district a row of another can neither be seen, changed, deleted nor made, nor one's own moved there.

    Catches a table whose policy was forgotten, and one that checks what is read but not what is written.
    """
    async with as_role(database_url, role) as connection:
        context = {"district_id": str(rows.here), "token_digest": rows.digests[0].hex()}
        there = f"where district_id = '{rows.there}'"
        for table in await allowed(connection, rows.tables, "SELECT"):
            async with undone(connection, **context):
                found = await connection.fetch(f"select district_id from {table.name}")
                assert {row["district_id"] for row in found} == {rows.here}, table.name
        for table in await allowed(connection, rows.tables, "UPDATE"):
            async with undone(connection, **context):
                assert await changed(connection, f"update {table.name} set district_id = district_id {there}") == 0
                with pytest.raises(InsufficientPrivilegeError, match="row-level security"):
                    await connection.execute(f"update {table.name} set district_id = '{rows.there}'")
        for table in await allowed(connection, rows.tables, "DELETE"):
            async with undone(connection, **context):
                assert await changed(connection, f"delete from {table.name} {there}") == 0
        for table in await allowed(connection, rows.tables, "INSERT"):
            async with undone(connection, **context):
                with pytest.raises(InsufficientPrivilegeError, match="row-level security"):
                    await connection.execute(table.insert(rows.there, rows.applications[0]))


@pytest.mark.asvs("V8.2.2")
async def test_a_partner_sees_its_own_grant(database_url: str, rows: Filled) -> None:
    """Of what belongs to applications a partner sees that of the one whose token it presents, and of no other.

    Catches a table of grants without the second wall, behind which a mistake in a statement shows what is shared with
    somebody else.
    """
    async with as_role(database_url, DatabaseRole.PARTNER) as connection:
        readable = await allowed(connection, rows.tables, "SELECT")
        owned = [table for table in readable if "application_id" in table.columns]
        assert {table.name for table in owned} == PRESENTED
        for application, digest in zip(rows.applications, rows.digests, strict=True):
            async with undone(connection, district_id=str(rows.here), token_digest=digest.hex()):
                for table in owned:
                    found = await connection.fetch(f"select application_id from {table.name}")
                    assert [row["application_id"] for row in found] == [application], table.name


@pytest.mark.parametrize(
    "ended", ["revoked_at = now()", "expires_at = now()", "application_id = null, role = 'district_admin'"]
)
async def test_a_token_that_has_ended_opens_nothing(
    database_url: str, by_hand: Database, rows: Filled, ended: str
) -> None:
    """With a token that is revoked, expired, or no application's, and with none, no grant, ledger or feed is seen.

    Catches a second wall that looks only whether the token is known.
    """
    nothing = {"district_id": str(rows.here), "token_digest": ""}
    context = {"district_id": str(rows.here), "token_digest": rows.digests[0].hex()}
    async with as_role(database_url, DatabaseRole.PARTNER) as partner, connected(by_hand) as connection:
        async with undone(partner, **nothing):
            for name in PRESENTED:
                assert await partner.fetch(f"select from {name}") == [], name
        await connection.execute(f"update tokens set {ended} where digest = $1", rows.digests[0])
        async with undone(partner, **context):
            for name in PRESENTED - {"tokens"}:
                assert await partner.fetch(f"select from {name}") == [], name
        await connection.execute(
            "update tokens set revoked_at = null, expires_at = null, application_id = $2, role = 'application'"
            " where digest = $1",
            rows.digests[0],
            rows.applications[0],
        )


async def test_tokens_of_all_are_seen_from_within_the_service(database_url: str, rows: Filled) -> None:
    """Whoever enters the service itself sees the tokens of every district and no other row; a partner not even those.

    Catches a policy for operators that opens a roster, or that a partner can use.
    """
    service = {"district_id": str(SERVICE), "token_digest": ""}
    for role in SERVING:
        async with as_role(database_url, role) as connection, undone(connection, **service):
            for table in await allowed(connection, rows.tables, "SELECT"):
                known = f"where district_id in ('{rows.here}', '{rows.there}')"
                found = await connection.fetch(f"select distinct district_id from {table.name} {known}")
                every = table.name == "tokens" and role is DatabaseRole.APPLICATION
                assert len(found) == (2 if every else 0), (role, table.name)
