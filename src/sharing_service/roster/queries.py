"""Rows of records as a district reads them: every field by its catalogue name, and references as public ids."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Text, cast, collate, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import LETTERS
from sharing_service.errors import NotFound
from sharing_service.roster import linked
from sharing_service.roster.catalogue import EXTENSIBLE, FIELDS, PEOPLE, Field, Group, Kind, numbering_of
from sharing_service.roster.linked import Seen, among
from sharing_service.roster.models import RECORDS, Identity

Json = dict[str, Any]

SEARCHED: Final = frozenset(
    {"sis_id", "name", "source_name", "first_name", "last_name", "email", "state_id", "nces_id", "number"}
    | {"school_number", "student_number", "teacher_number", "section_number", "course_name", "course_number"}
)
"""Fields that a search looks into, by catalogue name."""
ALL_GROUPS: Final = frozenset(Group)


@dataclass(frozen=True, slots=True)
class Shape:
    """Which fields a row has, and which records it may refer to; by default all of them."""

    groups: Collection[Group] = ALL_GROUPS
    seen: Seen | None = None

    def columns(self, kind: Kind) -> list[str]:
        """The keys of a row, in order."""
        ext = ["ext"] if kind in EXTENSIBLE and Group.EXT in self.groups else []
        return ["id", "sis_id", "name", *linked.names(kind), *(one.name for one in self.fields(kind)), *ext]

    def fields(self, kind: Kind) -> list[Field]:
        """The fields of a row beside those that begin it."""
        return [one for one in FIELDS[kind] if one.group in self.groups and one.name not in ("sis_id", "name")]


WHOLE: Final = Shape()


@dataclass(frozen=True, slots=True)
class Search:
    """A text that must be part of a name, sis_id, e-mail or number."""

    text: str
    case_sensitive: bool = True

    def finds(self, kind: Kind, groups: Collection[Group] = ALL_GROUPS) -> ColumnElement[bool]:
        """Whether a record has the text in these groups; `%` and `_` are letters like others."""
        table = RECORDS[kind]
        searched = [one.name for one in FIELDS[kind] if one.name in SEARCHED and one.group in groups]
        values: list[ColumnElement[str]] = [table.c[name] for name in searched]
        if kind in PEOPLE:
            values += [display_name(kind), func.concat_ws(" ", table.c.first_name, table.c.last_name)]
        wanted = self._folded(literal(self.text, Text))
        return or_(*(func.strpos(self._folded(value), wanted) > 0 for value in values))

    def _folded(self, value: ColumnElement[str]) -> ColumnElement[str]:
        if self.case_sensitive:
            return collate(value, "C")
        return collate(func.lower(collate(value, LETTERS)), "C")


def display_name(kind: Kind) -> ColumnElement[str]:
    """How people call a record: a person by first, middle and last name."""
    table = RECORDS[kind]
    if kind not in PEOPLE or kind is Kind.CONTACTS:
        return table.c.name
    parts = [table.c[name] for name in ("first_name", "middle_name", "last_name") if name in table.c]
    return func.concat_ws(" ", *(func.nullif(part, "") for part in parts))


async def page(
    session: AsyncSession, district_id: UUID, kind: Kind, *, search: Search | None, after: UUID | None, limit: int
) -> tuple[list[Json], int]:
    """Up to `limit` records after an id, and how many are found on all pages."""
    table = RECORDS[kind]
    found = [table.c.district_id == district_id, *([search.finds(kind)] if search else [])]
    total = await session.scalar(select(func.count()).select_from(table).where(*found))
    if after is not None and (last := await last_ordinal_up_to(session, district_id, kind, after)) is not None:
        found.append(table.c.ordinal > last)
    statement = select(table.c.ordinal).where(*found).order_by(table.c.ordinal).limit(limit)
    ordinals = (await session.scalars(statement)).all()
    return await rows(session, district_id, kind, ordinals), total or 0


async def found_by(
    session: AsyncSession, district_id: UUID, kind: Kind, search: Search, *, groups: Collection[Group]
) -> BitMap:
    """The ordinals of all records that have the text in a field of these groups."""
    table = RECORDS[kind]
    found = select(func.array_agg(table.c.ordinal)).where(
        table.c.district_id == district_id, search.finds(kind, groups)
    )
    return BitMap(await session.scalar(found) or ())


async def get(session: AsyncSession, district_id: UUID, kind: Kind, *, record_id: UUID) -> Json:
    """One record, or NotFound."""
    table = RECORDS[kind]
    ordinal = select(Identity.ordinal).where(*_identified(district_id, kind), Identity.id == record_id)
    here = (table.c.district_id == district_id, table.c.ordinal == ordinal.scalar_subquery())
    statement = select(table.c.ordinal).where(*here)
    found = await rows(session, district_id, kind, (await session.scalars(statement)).all())
    if not found:
        raise NotFound
    return found[0]


async def names_of(session: AsyncSession, district_id: UUID, kind: Kind, ordinals: Sequence[int]) -> list[Json]:
    """The ids and names of records, to be recognised by."""
    table = RECORDS[kind]
    statement = (
        select(table.c.id, table.c.sis_id, display_name(kind).label("name"))
        .where(table.c.district_id == district_id, among(table.c.ordinal, ordinals))
        .order_by(table.c.ordinal)
    )
    return [dict(row) for row in (await session.execute(statement)).mappings()]


async def rows(
    session: AsyncSession, district_id: UUID, kind: Kind, ordinals: Sequence[int], *, shape: Shape = WHOLE
) -> list[Json]:
    """The rows of some records in ascending order, keys as `shape.columns` gives them."""
    if not ordinals:
        return []
    table = RECORDS[kind]
    sis_id = table.c.sis_id if "sis_id" in table.c else literal(None, Text).label("sis_id")
    columns, references = shape.columns(kind), linked.names(kind)
    statement = (
        select(table.c.ordinal, cast(table.c.id, Text).label("id"), sis_id, display_name(kind).label("name"))
        .add_columns(*(table.c[one.name] for one in shape.fields(kind)))
        .where(table.c.district_id == district_id, among(table.c.ordinal, ordinals))
        .order_by(table.c.ordinal)
    )
    if "ext" in columns:
        statement = statement.add_columns(table.c.ext)
    found = [dict(row) for row in (await session.execute(statement)).mappings()]
    if references:
        named = await linked.references(session, district_id, kind, ordinals, seen=shape.seen)
        for row in found:
            row |= named[row["ordinal"]]
    return [{name: row[name] for name in columns} for row in found]


async def last_ordinal_up_to(session: AsyncSession, district_id: UUID, kind: Kind, cursor: UUID) -> int | None:
    """The ordinal of the last id that is not beyond a cursor: ids ascend with ordinals, so none beyond is smaller."""
    statement = (
        select(Identity.ordinal)
        .where(*_identified(district_id, kind), Identity.id <= cursor)
        .order_by(Identity.id.desc())
        .limit(1)
    )
    return await session.scalar(statement)


def _identified(district_id: UUID, kind: Kind) -> tuple[ColumnElement[bool], ...]:
    return Identity.district_id == district_id, Identity.numbering == numbering_of(kind)
