"""What a process remembers of tokens for single records."""

from uuid import uuid4

from sharing_service.database import Database
from sharing_service.delivery import singles
from sharing_service.delivery.singles import SEEN_AT_MOST
from sharing_service.delivery.views import Places


async def test_the_token_that_came_longest_ago_is_forgotten(database: Database) -> None:
    """However many tokens come, a process remembers so many; the others are read step by step."""
    digests = [number.to_bytes(32, "big") for number in range(SEEN_AT_MOST + 1)]
    for digest in digests:
        singles.remember(digest, {"fields": "[]", "ledger_id": None})
    async with database.drivers.lend() as driver:
        assert await singles.read(driver, uuid4(), digests[0], Places(record=("people", uuid4()))) is None
