"""Rows in every table of a district, whatever tables there are: made from the catalogue."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from sharing_service.database import Database

COLUMNS: Final = """
select c.oid::regclass::text as "table", array_agg(a.attname::text) as names,
       array_agg(format_type(a.atttypid, null)) as types
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
  and exists (select from pg_attribute d where d.attrelid = c.oid and d.attname = 'district_id')
  and (a.attname in ('district_id', 'application_id', 'digest') or a.attnotnull and not a.atthasdef)
group by c.oid order by 1
"""
"""Of each table of districts, the columns that a row must give, and those that tell whose it is."""

VALUES: Final[Mapping[str, str]] = {
    "uuid": "gen_random_uuid()",
    "bytea": "uuid_send(gen_random_uuid())",
    "jsonb": "'{}'",
    "timestamp with time zone": "now()",
    "boolean": "false",
    "text[]": "'{}'",
    "integer[]": "'{}'",
    "integer": "(random() * 1e9)::int",
    "smallint": "(random() * 1e4)::int",
    "bigint": "1 + (random() * 1e9)::int",
    "text": "gen_random_uuid()::text",
}
CHOSEN: Final = {("tokens", "role"): "'application'", ("blocks", "kind"): "'students'"}
"""Values of which only some are allowed."""


@dataclass(frozen=True)
class Table:
    """A table that has a district in each row."""

    name: str
    columns: Mapping[str, str]
    """Type by name."""

    def insert(self, district_id: UUID, application_id: UUID, *, digest: bytes | None = None) -> str:
        """The statement that adds a row, whose other values mean nothing."""
        told = {"district_id": f"'{district_id}'", "application_id": f"'{application_id}'"}
        told |= {column: value for (table, column), value in CHOSEN.items() if table == self.name}
        if digest and self.name == "tokens":
            told |= {"digest": f"'\\x{digest.hex()}'"}
        values = [told.get(name, VALUES[type_]) for name, type_ in self.columns.items()]
        return f"insert into {self.name} ({', '.join(self.columns)}) values ({', '.join(values)})"


async def tables_of(by_hand: Database) -> Sequence[Table]:
    """Every table that has a district in each row."""
    async with connected(by_hand) as connection:
        found = await connection.fetch(COLUMNS)
    return [Table(row["table"], dict(zip(row["names"], row["types"], strict=True))) for row in found]


@dataclass(frozen=True)
class Filled:
    """Two districts with a row in every table for each of two applications; and the digests of their tokens."""

    tables: Sequence[Table]
    here: UUID
    there: UUID
    applications: tuple[UUID, UUID]
    digests: tuple[bytes, bytes]
    """Of the tokens of the two applications in the district `here`."""


@asynccontextmanager
async def filled(by_hand: Database) -> AsyncIterator[Filled]:
    """Fill both districts as long as the block lasts, without regard to foreign keys."""
    made = Filled(await tables_of(by_hand), uuid4(), uuid4(), (uuid4(), uuid4()), (uuid4().bytes, uuid4().bytes))
    async with connected(by_hand) as connection:
        await connection.execute("set session_replication_role = replica")  # no foreign key is checked
        for table in made.tables:
            for application, digest in zip(made.applications, made.digests, strict=True):
                await connection.execute(table.insert(made.here, application, digest=digest))
                await connection.execute(table.insert(made.there, application))
        yield made
        for table in made.tables:
            await connection.execute(f"delete from {table.name} where district_id in ('{made.here}', '{made.there}')")


@asynccontextmanager
async def connected(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A new connection in the role of a database's sessions."""
    connection = await database.connect()
    try:
        yield connection
    finally:
        await connection.close()
