"""Background jobs: enqueued in the transaction of what causes them, so that neither can be without the other."""

import json
from datetime import timedelta
from typing import Any

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import tracing


async def enqueue(
    session: AsyncSession, entrypoint: str, payload: dict[str, str], *, delay: timedelta | None = None
) -> None:
    """Queue a job that starts once this transaction is committed, or some time after; it takes our trace along."""
    connection = await session.connection()
    # SQLAlchemy begins the driver's transaction with its first statement; what we send before would be committed alone.
    await connection.execute(text("select 1"))
    driver = (await connection.get_raw_connection()).driver_connection
    trace = tracing.current()
    data = json.dumps(payload | (trace.carried() if trace else {})).encode()
    await Queries(AsyncpgDriver(driver)).enqueue(entrypoint, data, execute_after=delay)


def payload_of(data: bytes | None) -> dict[str, Any]:
    """The payload as it was enqueued."""
    decoded: dict[str, Any] = json.loads(data or b"{}")
    return decoded
