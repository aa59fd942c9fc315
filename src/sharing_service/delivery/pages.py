"""Reads pages of records as one application sees them: stored fragments of the granted groups, joined with references.

Answers are joined as text: a page of 1,000 students through models would take thirty times as long.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, assert_never
from uuid import UUID

from pyroaring import AbstractBitMap, BitMap
from sqlalchemy import Row, Select, Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery.models import FRAGMENTS, documents
from sharing_service.delivery.references import among, with_relationships, with_schools, with_sections
from sharing_service.delivery.views import View
from sharing_service.roster.catalogue import PEOPLE, Kind, Numbering

OF_THE_OBJECT: Final = ("head", "email")
"""Fragments that are members of the object itself; of a user the others are members of its role."""
UNGROUPED: Final = ("head", "identity")
"""Fragments that every answer has."""
ROLES: Final = {
    Kind.STUDENTS: "student",
    Kind.TEACHERS: "teacher",
    Kind.STAFF: "staff",
    Kind.CONTACTS: "contact",
}


class Document(NamedTuple):
    """One record as JSON text."""

    id: str
    kind: Kind
    text: str


@dataclass(slots=True)
class Page:
    """Documents in ascending order, and everybody who is in them, be it by id only."""

    documents: list[Document] = field(default_factory=list)
    persons: BitMap = field(default_factory=BitMap)


async def read(session: AsyncSession, view: View, numbering: Numbering, ordinals: AbstractBitMap) -> Page:
    """The documents of these ordinals, one statement for all. Whoever asks has checked that they are shared."""
    page = Page()
    if not ordinals:
        return page
    kinds = PEOPLE if numbering == "people" else (Kind(numbering),)
    granted = {kind: _granted(view, kind) for kind in kinds if ordinals.intersect(view.of_kind(kind))}
    for row in await session.execute(_select_page(view, numbering, ordinals, granted)):
        kind = Kind(row.kind)
        fragments = {name: text for name in granted[kind] if (text := getattr(row, name))}
        match numbering:
            case "people":
                text = _user(row, kind, fragments, view, page.persons)
            case "sections":
                text = ",".join((*fragments.values(), *_section_references(row, view, page.persons)))
            case "schools" | "courses" | "terms":
                text = ",".join(fragments.values())
            case unhandled:
                assert_never(unhandled)
        page.documents.append(Document(row.id, kind, f"{{{text}}}"))
    return page


def _granted(view: View, kind: Kind) -> list[str]:
    groups = view.fields.granted(kind)
    return [name for name in FRAGMENTS if name in UNGROUPED or name in groups]


def _select_page(
    view: View, numbering: Numbering, ordinals: AbstractBitMap, granted: dict[Kind, list[str]]
) -> Select[Any]:
    district_id: UUID = view.district.id
    needed = [name for name in FRAGMENTS if any(name in names for names in granted.values())]
    statement: Select[Any] = (
        select(
            documents.c.ordinal,
            cast(documents.c.id, Text).label("id"),
            documents.c.kind,
            *(documents.c[name] for name in needed),
        )
        .where(
            documents.c.district_id == district_id,
            documents.c.numbering == numbering,
            among(documents.c.ordinal, ordinals),
        )
        .order_by(documents.c.ordinal)
    )
    if numbering == "sections":
        statement = with_sections(statement, district_id, ordinals)
    if numbering == "people":
        statement = with_schools(statement, district_id, ordinals, view.of("schools"))
    if Kind.CONTACTS in granted:
        statement = with_relationships(statement, district_id, ordinals)
    return statement


def _section_references(row: Row[Any], view: View, persons: BitMap) -> Iterator[str]:
    people = view.people
    students = _seen(row.students, row.student_ids, people)
    teachers = _seen(row.teachers, row.teacher_ids, people)
    persons |= BitMap((*(row.students or ()), *(row.teachers or ()))) & people
    yield f'"school":{_reference(row.school, row.school_id, view.of("schools"))}'
    yield f'"course":{_reference(row.course, row.course_id, view.of("courses"))}'
    yield f'"term_id":{_reference(row.term, row.term_id, view.of("terms"))}'
    yield f'"students":{_ids(students)}'
    yield f'"teacher":{_first(teachers)}'
    yield f'"teachers":{_ids(teachers)}'


def _user(row: Row[Any], kind: Kind, fragments: dict[str, str], view: View, persons: BitMap) -> str:
    own = [fragments.pop(name) for name in OF_THE_OBJECT if name in fragments]
    role = ",".join((*fragments.values(), *_role_references(row, kind, view, persons)))
    persons.add(row.ordinal)
    return f'{",".join(own)},"roles":{{"{ROLES[kind]}":{{{role}}}}}'


def _role_references(row: Row[Any], kind: Kind, view: View, persons: BitMap) -> Iterator[str]:
    if kind is Kind.CONTACTS:
        students = view.of_kind(Kind.STUDENTS)
        yield f'"student_relationships":[{",".join(_seen(row.related, row.relationships, students))}]'
        persons |= BitMap(row.related or ()) & students
        return
    schools: Sequence[str] = row.school_ids or ()
    if kind is not Kind.STAFF:
        yield f'"school":{_first(schools)}'
    yield f'"schools":{_ids(schools)}'
    if kind is Kind.STUDENTS:
        enrolled = (f'{{"school":"{school}","start_date":null,"end_date":null}}' for school in schools)
        yield f'"enrollments":[{",".join(enrolled)}]'


def _seen(ordinals: Sequence[int] | None, texts: Sequence[str] | None, shared: AbstractBitMap) -> list[str]:
    return [text for ordinal, text in zip(ordinals or (), texts or (), strict=True) if ordinal in shared]


def _ids(ids: Sequence[str]) -> str:
    return '["' + '","'.join(ids) + '"]' if ids else "[]"


def _first(ids: Sequence[str]) -> str:
    return f'"{ids[0]}"' if ids else "null"


def _reference(ordinal: int | None, record_id: str | None, shared: AbstractBitMap) -> str:
    return f'"{record_id}"' if ordinal is not None and ordinal in shared else "null"
