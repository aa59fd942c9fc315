"""After any chain of syncs the stored documents are those that a first sync of the last upload would have written."""

import random
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import enter_district
from sharing_service.delivery import documents
from sharing_service.delivery.models import documents as stored
from sharing_service.roster.catalogue import Kind, numbering_of
from tests.factories.service import District

SYNCS = 6
HEADERS = {
    "schools.csv": "School_id,School_name,School_number",
    "students.csv": "School_id,Student_id,Last_name,First_name,Contact_sis_id,Contact_name,Contact_relationship",
    "teachers.csv": "School_id,Teacher_id,Last_name,First_name",
    "staff.csv": "School_id,Staff_id,Last_name,First_name,Staff_email",
    "sections.csv": "School_id,Section_id,Teacher_id,Course_name",
    "enrollments.csv": "School_id,Section_id,Student_id",
}


def rows(drawn: random.Random) -> dict[str, list[str]]:
    """A small roster in which everything may be at any school, several times or not at all."""

    def at_schools(count: int, values: str) -> list[str]:
        places = [f"{drawn.choice('ABC')},{values}" for _ in range(2 * count)]
        return [place.format(n=drawn.randrange(count), v=drawn.choice("123")) for place in places]

    schools = [school for school in "ABC" if drawn.random() < 0.7]
    return {
        "schools.csv": [f"{school},Oak {drawn.choice('12')},1" for school in schools or "A"],
        "students.csv": at_schools(6, "s{n},L,F,c{v},Bea,Parent {n}"),
        "teachers.csv": at_schools(3, "t{n},L,F"),
        "staff.csv": at_schools(2, "f{n},L,F,f{n}@x.org"),
        "sections.csv": at_schools(4, "x{n},t{v},Art {v}"),
        "enrollments.csv": [f"A,x{drawn.randrange(4)},s{drawn.randrange(6)}" for _ in range(8)],
    }


async def told(session: AsyncSession, district_id: UUID) -> set[tuple[object, ...]]:
    """The documents of a district."""
    found = await session.execute(select(stored).where(stored.c.district_id == district_id))
    return {tuple(tuple(value) if isinstance(value, list) else value for value in row) for row in found}


async def written_anew(session: AsyncSession, district_id: UUID) -> set[tuple[object, ...]]:
    """The documents of a district if each is written again."""
    for table in (documents.TOUCHED, documents.RELINKED, documents.LEFT):
        await session.execute(text(f'create temp table {table.name} (numbering text collate "C", ordinal int)'))
    for kind in Kind:
        every = f"insert into touched select :numbering, ordinal from {kind} where district_id = :id"
        await session.execute(text(every), {"numbering": numbering_of(kind), "id": district_id})
    await documents.rewrite(session, district_id)
    return await told(session, district_id)


async def test_documents_follow_every_sync(district: District) -> None:
    """Schools that leave, students that move and contacts that lose theirs are told to partners as they are.

    Catches a sync that forgets a document which refers to something that moved.
    """
    drawn = random.Random(1)
    upload = rows(drawn)
    for _ in range(SYNCS):
        other = rows(drawn)
        upload = {file: drawn.choice((upload[file], upload[file], other[file])) for file in HEADERS}
        await district.publish({file: "\n".join((HEADERS[file], *upload[file])) + "\n" for file in HEADERS})
        async with district.service.jobs.engine.connect() as connection:
            session = AsyncSession(connection)
            await enter_district(session, UUID(district.id))
            before = await told(session, UUID(district.id))
            assert await written_anew(session, UUID(district.id)) == before
            await session.close()
