"""What a process remembers of tokens for single records."""

from uuid import UUID, uuid4

from sqlalchemy import text

from sharing_service.database import Database
from sharing_service.delivery import singles
from sharing_service.delivery.singles import SEEN_AT_MOST
from sharing_service.delivery.views import Places
from tests.factories.service import District
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render


async def test_the_token_that_came_longest_ago_is_forgotten(database: Database) -> None:
    """However many tokens come, a process remembers so many; the others are read step by step."""
    digests = [number.to_bytes(32, "big") for number in range(SEEN_AT_MOST + 1)]
    for digest in digests:
        singles.remember(digest, {"fields": "[]", "ledger_id": None})
    async with database.drivers.lend() as driver:
        assert await singles.read(driver, uuid4(), digests[0], Places(record=("people", uuid4()))) is None


async def test_an_id_that_carries_another_ordinal(district: District) -> None:
    """A student whose id seems to be that of a teacher is told as the student that he is.

    Catches a form that is chosen by what an id carries, and not looked at again.
    """
    await district.publish(render(SMALL_DISTRICT))
    application = await district.connect()
    await application.share({"mode": "district", "include_staff": True})
    firsts = [(await application.read("/users", role=role, limit=1))["data"][0] for role in ("student", "teacher")]
    student, teacher = [first["data"]["id"] for first in firsts]
    odd = UUID(int=UUID(teacher).int ^ 1)  # the last bits are random
    async with district.service.by_hand.write() as session:
        for table in ("identities", "students", "documents"):
            change = f"update {table} set id = :odd where district_id = :district and id = :student"
            await session.execute(text(change), {"odd": odd, "district": UUID(district.id), "student": UUID(student)})

    # The first reading remembers what the token sees, and the next ones are by one statement.
    told = [(await application.read(f"/users/{odd}"))["data"]["roles"] for _ in range(3)]

    assert [list(roles) for roles in told] == [["student"]] * 3
