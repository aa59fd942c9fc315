"""The part of a roster's graph around one person, which a few rows tell: the whole graph takes seconds to read."""

from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.sharing.graph import LINKED, Graph
from sharing_service.sharing.links import Links

_PAIRS: Final = {
    "enrolled": """
    select unnest(sections), student from student_sections where district_id = :district_id and student = :person
    """,
    "taught": "select section, teacher from section_teachers where district_id = :district_id and teacher = :person",
    "contacts": """
    select student, contact from contact_students
    where district_id = :district_id and contact in (
        select contact from contact_students where district_id = :district_id and student = :person
    )
    """,
}
"""The links of a person; of a student's contacts those with all their students."""


async def of_person(session: AsyncSession, district_id: UUID, person: int) -> Graph:
    """The graph of the roster that serves now, with the links of this person's sections and contacts alone.

    For a transaction that has locked the district: else a sync could publish between its statements.
    """
    links = dict.fromkeys(LINKED, _links([]))
    for name, statement in _PAIRS.items():
        found = await session.execute(text(statement), {"district_id": district_id, "person": person})
        links[name] = _links([(left, right) for left, right in found])
    return Graph({}, matched=None, **links)


def _links(pairs: list[tuple[int, int]]) -> Links:
    columns = np.array(pairs, np.uint32).reshape(-1, 2)
    return Links.of(columns[:, 0], columns[:, 1])
