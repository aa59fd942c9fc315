"""Alembic's environment: asynchronous, with short locks, and blind to the tables of the job queue."""

import asyncio
import os
from typing import Any

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

import sharing_service.access.models
import sharing_service.audit.models
import sharing_service.delivery.models
import sharing_service.roster.models
import sharing_service.roster.sync_models
import sharing_service.sharing.models  # noqa: F401 - a table exists for Alembic once its module is imported
from sharing_service.database import Base, DatabaseRole

LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"
OWNED = f"""
select exists (select from pg_tables where schemaname = current_schema()
               and tablename = 'alembic_version' and tableowner = '{DatabaseRole.OWNER}')
"""  # noqa: S608 - a name of ours
"""Whether the tables of this database were given to their role: that there is one says nothing, on a shared server."""


def is_ours(_object: Any, name: str | None, type_: str, _reflected: bool, _compare_to: Any) -> bool:
    """The job queue keeps tables of its own, which its library declares."""
    return not (type_ == "table" and name is not None and name.startswith("pgqueuer"))


def migrate(connection: Connection) -> None:
    """Run the chosen migrations on a connection, each in a transaction of its own, and one process after another."""
    connection.execute(text("select pg_advisory_lock(hashtext('sharing-service migrations'))"))
    connection.execute(text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"set statement_timeout = '{STATEMENT_TIMEOUT}'"))
    if connection.scalar(text(OWNED)):
        # What a migration makes belongs to the owner as well; the login is only a member of that role.
        connection.execute(text(f"set role {DatabaseRole.OWNER}"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=is_ours,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def online(url: str) -> None:
    """Connect and migrate."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()  # a connection that outlives a failure would keep its lock


URL = context.config.attributes.get("url") or os.environ.get("SHARING_DATABASE_URL")
if not URL:
    raise SystemExit("Set SHARING_DATABASE_URL to the database to migrate.")
asyncio.run(online(URL))
