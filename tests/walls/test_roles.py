"""What the roles of the service cannot do, and what a login of one's own adds."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import asyncpg
import pytest
from asyncpg.exceptions import InsufficientPrivilegeError, PostgresError

from sharing_service.database import Database, DatabaseRole
from sharing_service.embedded import EmbeddedPostgres, start
from tests.walls.rows import connected

CHANGES: Final = (
    "create table mine (number int)",
    "alter table students disable row level security",
    "alter table students no force row level security",
    "drop policy district on students",
    "create policy mine on students using (true)",
    "alter table students add mine int",
    "drop table students",
    "truncate students",
    "copy audit_entries from program 'true'",
    "create role mine",
)


ANY: Final = "select from grants where district_id = '00000000-0000-0000-0000-000000000000'"
"""Refused without a context even if there is no row."""


@pytest.mark.parametrize("role", [role for role in DatabaseRole if role is not DatabaseRole.OWNER])
@pytest.mark.asvs("V13.2.2")
async def test_who_serves_changes_no_schema(database_url: str, role: DatabaseRole) -> None:
    """Whoever serves can neither change a table, nor a policy, nor go round them."""
    async with connected(Database(database_url, role=role)) as connection:
        for statement in CHANGES:
            with pytest.raises(InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_the_owner_sees_one_district_as_well(database_url: str) -> None:
    """A migration in the owner's role meets the policies too."""
    async with connected(Database(database_url, role=DatabaseRole.OWNER)) as connection:
        with pytest.raises(PostgresError, match=r"app\.district_id"):
            await connection.fetch(ANY)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """An embedded server of its own, of which two databases were migrated at once."""
    with start(tmp_path_factory.mktemp("separate"), fast=True) as server:
        asyncio.run(make_database(server.dsn, "other"))
        command = [sys.executable, "-P", "-m", "sharing_service.cli", "migrate"]
        migrating = [
            subprocess.Popen(command, env=os.environ | {"SHARING_DATABASE_URL": url}, stdout=subprocess.DEVNULL)
            for url in (server.dsn, server.dsn.replace("/sharing", "/other"))
        ]
        # The roles are of the whole server: whoever comes second finds them, or waits for them.
        assert [process.wait(60) for process in migrating] == [0, 0]
        yield server


async def make_database(dsn: str, name: str) -> None:
    """Make a further database."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"create database {name}")
    await connection.close()


@pytest.fixture(scope="module")
def logins(server: EmbeddedPostgres) -> dict[str, str]:
    """Addresses for its API and worker; made twice, as by a second start."""
    server.make_logins()
    return server.make_logins()


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("api", {DatabaseRole.APPLICATION, DatabaseRole.PARTNER}),
        ("worker", {DatabaseRole.WORKER}),
    ],
)
@pytest.mark.asvs("V13.2.2")
async def test_a_login_takes_on_its_own_roles_only(logins: dict[str, str], name: str, roles: set[DatabaseRole]) -> None:
    """The API of the embedded database can become neither worker, owner nor superuser, nor the worker anybody else.

    Catches a process that is given the password of a superuser and only behaves as if it were less.
    """
    for role in roles:
        async with connected(Database(logins[name], role=role)) as connection:
            assert await connection.fetchval("select current_user") == role
            for other in ("none", *DatabaseRole, "postgres"):
                if other in (*roles, "none"):
                    await connection.execute(f"set role {other}")
                    continue
                with pytest.raises(InsufficientPrivilegeError):
                    await connection.execute(f"set role {other}")
            await connection.execute("set role none")
            with pytest.raises(PostgresError, match=r"app\."):
                await connection.fetch(ANY)


@pytest.fixture
def auditor(server: EmbeddedPostgres, logins: dict[str, str]) -> str:
    """The address of the auditor."""
    assert set(logins) == {"api", "worker"}
    file = server.folder / "auditor.url"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return file.read_text().strip()


async def test_an_auditor_reads_the_trail_of_all(auditor: str) -> None:
    """The auditor's address, in a file for the owner of the data directory alone, opens the trail and no roster."""
    connection = await asyncpg.connect(auditor)
    assert await connection.fetch("select from audit_entries") == []
    assert await connection.fetchval("select count(*) from disclosures") == 0
    for table in ("students", "tokens", "ledgers"):
        with pytest.raises(InsufficientPrivilegeError):
            await connection.fetch(f"select from {table}")
    await connection.close()
