"""Runs the queued syncs of a district in a process of its own, as a worker does, and tells how much memory each took.

python -m tests.roster.importing DATABASE_URL DISTRICT_ID
"""

import asyncio
import json
import os
import sys
from uuid import UUID

from sharing_service import worker
from sharing_service.database import Database, DatabaseRole
from sharing_service.roster.archive import ArchiveLimits
from tests.bench.memory import peak


async def run(url: str, district_id: UUID) -> None:
    """Run them in order of arrival; after each, print the most bytes that this process has had so far."""
    database = Database(url, role=DatabaseRole.WORKER)
    again = True
    while again:
        again = await worker.run_next_sync(database, district_id, limits=ArchiveLimits())
        print(json.dumps(peak(os.getpid())))  # noqa: T201 - its output is its answer
    await database.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], UUID(sys.argv[2])))
