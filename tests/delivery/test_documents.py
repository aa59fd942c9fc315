"""Stored documents: JSON members as text, one fragment per field group."""

import json
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery.models import FRAGMENTS, documents
from sharing_service.roster.catalogue import EXTENSIBLE, FIELDS, Kind, numbering_of
from sharing_service.roster.models import RECORDS, school_people, students
from tests.factories.roster import Roster

DIFFICULT = "a\"b\\c\n\t\x01 {}[],: é İ 'x' %s $1 \U0001f600"


async def stored(session: AsyncSession, roster: Roster, kind: Kind, ordinal: int) -> dict[str, Any] | None:
    """The fragments of one record, each read as JSON."""
    found = select(*(documents.c[name] for name in FRAGMENTS)).where(
        documents.c.district_id == roster.district_id,
        documents.c.numbering == numbering_of(kind),
        documents.c.ordinal == ordinal,
    )
    row = (await session.execute(found)).one_or_none()
    return (
        None
        if row is None
        else {name: json.loads("{" + text.removeprefix(",") + "}") for name, text in row._mapping.items() if text}
    )


def leaves(value: Any) -> list[Any]:
    """Every value that is no object."""
    return [leaf for inner in value.values() for leaf in leaves(inner)] if isinstance(value, dict) else [value]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.asvs("V1.1.2", "V1.2.1", "V1.2.3", "V1.3.10")
async def test_any_character_survives(session: AsyncSession, kind: Kind) -> None:
    """Quotes, control characters and placeholders come out of every field of every kind as they went in.

    Catches a fragment put together without JSON escapes.
    """
    roster = Roster()
    values = {field.name: DIFFICULT for field in FIELDS[kind]}
    others = {"school": 0, "course": None, "term": None} if kind is Kind.SECTIONS else {}
    extended = {"ext": {DIFFICULT: DIFFICULT}} if kind in EXTENSIBLE else {}
    ordinal = roster.record(kind, **values, **others, **extended)
    await roster.publish(session)
    fragments = await stored(session, roster, kind, ordinal)
    assert fragments is not None
    if kind is Kind.CONTACTS:
        name = fragments["head"].pop("name")
        assert f"{name['first']} {name['last']}" == DIFFICULT
    plain = {"id", "district", "created", "last_modified"}
    told = [
        leaf
        for fragment in fragments.values()
        for name, inner in fragment.items()
        if name not in plain
        for leaf in leaves(inner)
    ]
    paths = [field for field in FIELDS[kind] if field.path and not (kind is Kind.CONTACTS and field.path == "name")]
    assert [leaf for leaf in told if leaf in (DIFFICULT, [DIFFICULT])] == [leaf for leaf in told if leaf != ""]
    assert len([leaf for leaf in told if leaf]) == len(paths) + len(extended)


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_missing_value_is_null_or_empty(session: AsyncSession, kind: Kind) -> None:
    """Without values every member is still there."""
    roster = Roster()
    others = {"school": 0, "course": None, "term": None} if kind is Kind.SECTIONS else {}
    ordinal = roster.record(kind, **others)
    await roster.publish(session)
    fragments = await stored(session, roster, kind, ordinal)
    assert fragments is not None
    plain = {"id", "district", "created", "last_modified", "ext"}
    told = [
        leaf
        for fragment in fragments.values()
        for name, inner in fragment.items()
        if name not in plain
        for leaf in leaves(inner)
    ]
    assert told
    assert all(leaf in (None, "", []) for leaf in told)


async def test_a_sync_rewrites_what_it_touched_and_no_more(session: AsyncSession) -> None:
    """Documents of touched records follow their rows, those of records that left go, the others stay."""
    roster = Roster()
    ann, ben, cal = (roster.person(Kind.STUDENTS, schools=[], sis_id=name, grade="3") for name in ("ann", "ben", "cal"))
    await roster.publish(session)
    await session.execute(update(students).where(students.c.district_id == roster.district_id).values(grade="4"))
    await session.execute(
        delete(students).where(students.c.district_id == roster.district_id, students.c.ordinal == cal)
    )
    await roster.touch(session, [("people", ann)], left=[("people", cal)])
    found = [await stored(session, roster, Kind.STUDENTS, ordinal) for ordinal in (ann, ben, cal)]
    assert [fragments and fragments["identity"]["grade"] for fragments in found] == ["4", "3", None]


async def test_fragments_hold_no_references(session: AsyncSession) -> None:
    """No document holds the id of another record, since references differ from grant to grant."""
    roster = Roster()
    north = roster.record(Kind.SCHOOLS, sis_id="N")
    course = roster.record(Kind.COURSES, name="Art")
    ann = roster.person(Kind.STUDENTS, schools=[north], sis_id="ann")
    tom = roster.person(Kind.TEACHERS, schools=[north], sis_id="tom")
    roster.section(school=north, students=[ann], teachers=[tom], sis_id="art", course=course)
    roster.contact(students=[(ann, "Parent", "")], name="Bea")
    await roster.publish(session)
    found = await session.execute(select(documents).where(documents.c.district_id == roster.district_id))
    for row in found:
        text = "".join(getattr(row, name) for name in FRAGMENTS)
        own = roster.ids[row.numbering, row.ordinal]
        assert {record_id for record_id in roster.ids.values() if record_id in text} == {own}
    assert set(RECORDS) == set(Kind)


async def test_a_sync_rewrites_what_people_refer_to(session: AsyncSession) -> None:
    """The schools that stand beside a student's fragments follow a section at another school.

    Catches a sync that writes only the records whose own values moved.
    """
    roster = Roster()
    north, south = (roster.record(Kind.SCHOOLS, sis_id=name) for name in ("N", "S"))
    ann = roster.person(Kind.STUDENTS, schools=[north], sis_id="ann")
    ben = roster.person(Kind.STUDENTS, schools=[], sis_id="ben")
    await roster.publish(session)
    assert [await referring(session, roster, person) for person in (ann, ben)] == [[north], []]
    for person in (ann, ben):
        values = {"district_id": roster.district_id, "person": person, "school": south, "kind": "students"}
        await session.execute(insert(school_people).values(values))
    await roster.touch(session, [], relinked=[("people", ann), ("people", ben), ("sections", ann)])
    assert [await referring(session, roster, person) for person in (ann, ben)] == [[north, south], [south]]


async def referring(session: AsyncSession, roster: Roster, person: int) -> list[int]:
    """The schools that a person's document refers to, in its order; their ids stand beside them in the same."""
    found = select(documents.c.schools, documents.c.referring).where(
        documents.c.district_id == roster.district_id,
        documents.c.numbering == "people",
        documents.c.ordinal == person,
    )
    schools, ids = (await session.execute(found)).one()
    assert json.loads(f"[{ids}]") == [roster.ids["schools", school] for school in schools]
    return list(schools)
