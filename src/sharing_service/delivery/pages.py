"""Reads pages of records as one application sees them: stored fragments of the granted groups, joined with references.

PostgreSQL joins the texts of up to 500 records into one, which passes through here as bytes: through models they
would take a hundred times as long. Only sections are put together here: they refer to any number of people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

from pyroaring import AbstractBitMap, BitMap
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Subquery,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)

from sharing_service.database import Prepared, Snapshot
from sharing_service.delivery import section_references
from sharing_service.delivery.fragments import granted_fragments, stored_fragments
from sharing_service.delivery.models import documents
from sharing_service.delivery.modified import head_as_told
from sharing_service.delivery.references import DISTRICT, QUOTED_ID, among, seen_by_grant, with_sections
from sharing_service.delivery.views import View
from sharing_service.roster.catalogue import PEOPLE, Kind, Numbering
from sharing_service.roster.models import contact_students

OF_THE_OBJECT: Final = ("head", "email")
"""Fragments that are members of the object itself; of a user the others are members of its role."""
ROLES: Final = {
    Kind.STUDENTS: "student",
    Kind.TEACHERS: "teacher",
    Kind.STAFF: "staff",
    Kind.CONTACTS: "contact",
}
ENROLLED: Final = ('{"school":', ',"start_date":null,"end_date":null}')
"""What stands around the school of an enrollment."""

JOINED_AT_MOST: Final = 500
"""Records whose texts are joined by one statement; a text of some megabytes takes three times as long to receive."""

Fragments = tuple[tuple[Kind, tuple[str, ...]], ...]
"""The kinds of a page, each with the fragments that are granted."""
Joined = Literal["people", "schools", "courses", "terms"]
"""The numberings whose documents PostgreSQL joins."""
Parts = tuple[ColumnElement[Any] | str, ...]
URI: Final = bindparam("uri", type_=Text)


@dataclass(slots=True)
class Page:
    """Documents in ascending order, and everybody who is in them, be it by id only."""

    parts: list[bytes] = field(default_factory=list)
    """The documents as JSON, with commas between them or each on its line; there is nothing between two parts."""
    first: str = ""
    last: str = ""
    """The ids at both ends; empty if there is no document."""
    kinds: frozenset[Kind] = frozenset()
    persons: BitMap = field(default_factory=BitMap)

    def add(self, following: "Page") -> None:
        """Continue with a page whose documents come after those of this one."""
        self.parts += following.parts
        self.first = self.first or following.first
        self.last = following.last or self.last
        self.kinds |= following.kinds
        self.persons |= following.persons


async def read(
    snapshot: Snapshot, view: View, numbering: Numbering, ordinals: AbstractBitMap, *, uri: str | None = None
) -> Page:
    """The documents of these ordinals, one statement for each 500. Whoever asks has checked that they are shared.

    With a `uri` each stands in an envelope that names its address, which is the `uri` and its id; without, each stands
    on a line of its own. If a contact refers to somebody who is not shared, it takes a second statement.
    """
    if not ordinals:
        return Page()
    match numbering:
        case "sections":
            return await _read_sections(snapshot, view, ordinals, uri)
        case others:
            whole = Page()
            for start in range(0, len(ordinals), JOINED_AT_MOST):
                some = ordinals[start : start + JOINED_AT_MOST]
                page, hidden = await _read_joined(snapshot, view, others, some, uri, BitMap())
                if hidden:
                    page, _ = await _read_joined(snapshot, view, others, some, uri, hidden)
                whole.add(page)
            return whole


async def _read_joined(
    snapshot: Snapshot, view: View, numbering: Joined, ordinals: AbstractBitMap, uri: str | None, hidden: BitMap
) -> tuple[Page, BitMap]:
    """A page that hides these students from the contacts in it, and the students whom it should have hidden."""
    kinds = PEOPLE if numbering == "people" else (Kind(numbering),)
    granted = tuple(
        (kind, granted_fragments(view.fields, kind)) for kind in kinds if ordinals.intersect(view.of_kind(kind))
    )
    row: Any = await _statement(numbering, granted, enveloped=uri is not None).fetchrow(
        snapshot.driver,
        district_id=view.district_id,
        ordinals=ordinals.to_array(),
        uri=uri,
        schools=view.ledger.school_mask if numbering == "people" else b"",
        contacts=(ordinals & view.of_kind(Kind.CONTACTS)).to_array() if numbering == "people" else (),
        hidden=hidden.to_array(),
    )
    page, related = page_of(row, view, numbering)
    page.kinds = frozenset(kind for kind, _ in granted)
    return page, related - view.of_kind(Kind.STUDENTS) - hidden


def page_of(row: Mapping[str, Any], view: View, numbering: Numbering) -> tuple[Page, BitMap]:
    """The page in a row of `joined`, whose kinds are not told there, and the students to whom its contacts refer."""
    if row["body"] is None:
        return Page(), BitMap()
    related = BitMap(row["related"] or ())
    page = Page([row["body"]], str(row["first"]), str(row["last"]))
    if numbering == "people":
        page.persons = BitMap(row["ordinals"]) | (related & view.of_kind(Kind.STUDENTS))
    return page, related


@lru_cache(maxsize=256)
def _statement(numbering: Joined, granted: Fragments, *, enveloped: bool) -> Prepared:
    return Prepared(joined(numbering, granted, enveloped=enveloped))


def joined(numbering: Joined, granted: Fragments, *, enveloped: bool) -> Select[*tuple[Any, ...]]:
    """One row: the joined documents, the ids at both ends, the ordinals found, and whom the contacts refer to."""
    page = _page(numbering, granted)
    texts = {kind: _document(page, kind, names) for kind, names in granted}
    text = _of_kind(page.c.kind, texts)
    if enveloped:
        text = _concatenated('{"data":', text, ',"uri":"', URI, cast(page.c.id, Text), '"}')
    ids = func.array_agg(page.c.id, type_=ARRAY(Uuid))
    related = select(func.array_agg(contact_students.c.student.distinct())).where(
        contact_students.c.district_id == DISTRICT,
        among(contact_students.c.contact, "contacts"),
    )
    separator: ColumnElement[str] = literal_column("','" if enveloped else "chr(10)")
    return select(
        func.convert_to(func.string_agg(text, separator), literal_column("'UTF8'")).label("body"),
        ids[1].label("first"),
        ids[func.count()].label("last"),
        func.array_agg(page.c.ordinal).label("ordinals"),
        (related.scalar_subquery() if Kind.CONTACTS in texts else literal_column("null")).label("related"),
    ).select_from(page)


def _page(numbering: Joined, granted: Fragments) -> Subquery:
    # The order makes PostgreSQL read the page before anything is joined, so that references are looked up once.
    referring: dict[Kind, ColumnElement[str]] = {
        kind: seen_by_grant(kind, DISTRICT) for kind, _ in granted if kind in PEOPLE
    }
    needed = dict.fromkeys(name for _, names in granted for name in names)
    heads = {kind: _head(kind, names) for kind, names in granted}
    return (
        select(
            documents.c.ordinal,
            documents.c.id,
            documents.c.kind,
            _of_kind(documents.c.kind, heads).label("head"),
            *(documents.c[name] for name in needed if name != "head"),
            *([_of_kind(documents.c.kind, referring).label("referring")] if referring else []),
        )
        .where(
            documents.c.district_id == DISTRICT,
            documents.c.numbering == literal_column(f"'{numbering}'"),
            among(documents.c.ordinal),
        )
        .order_by(documents.c.ordinal)
        .subquery("page")
    )


def _head(kind: Kind, names: Sequence[str]) -> ColumnElement[str]:
    return head_as_told(names, whole=len(names) == len(stored_fragments(kind)))


def _of_kind(kind: ColumnElement[str], texts: Mapping[Kind, ColumnElement[str]]) -> ColumnElement[str]:
    first, *others = texts.values()
    if all(other is first for other in others):
        return first
    return case(*((kind == literal_column(f"'{name.value}'"), text) for name, text in texts.items()))


def _document(page: Subquery, kind: Kind, names: Sequence[str]) -> ColumnElement[str]:
    fragments = {name: page.c[name] for name in names}
    if kind not in PEOPLE:
        return _concatenated("{", *fragments.values(), "}")
    own = [fragments.pop(name) for name in OF_THE_OBJECT if name in fragments]
    begin: Parts = ("{", *own, f',"roles":{{"{ROLES[kind]}":{{', *fragments.values())
    return _concatenated(*begin, _role_references(kind, page.c.referring), "}}}")


def _role_references(kind: Kind, referring: ColumnElement[str]) -> ColumnElement[str]:
    if kind is Kind.CONTACTS:
        return _concatenated(',"student_relationships":[', referring, "]")
    if kind is Kind.STAFF:
        return _concatenated(',"schools":[', referring, "]")
    one, none = func.left(referring, QUOTED_ID), ',"school":null,"schools":[]'
    each = referring
    if kind is Kind.STUDENTS:
        none += ',"enrollments":[]'
        each = func.replace(referring, literal_column("','"), literal_column(f"'{ENROLLED[1]},{ENROLLED[0]}'"))
    # Almost everybody is at one school: then nothing needs to be searched for.
    return case(
        (func.octet_length(referring) == QUOTED_ID, _at_schools(kind, referring, referring, referring)),
        (func.octet_length(referring) > 0, _at_schools(kind, one, referring, each)),
        else_=_concatenated(none),
    )


def _at_schools(
    kind: Kind, one: ColumnElement[str], every: ColumnElement[str], enrolled: ColumnElement[str]
) -> ColumnElement[str]:
    parts: Parts = (',"school":', one, ',"schools":[', every)
    if kind is not Kind.STUDENTS:
        return _concatenated(*parts, "]")
    begin, end = ENROLLED
    return _concatenated(*parts, f'],"enrollments":[{begin}', enrolled, f"{end}]")


def _concatenated(*parts: ColumnElement[str] | str) -> ColumnElement[str]:
    """The parts one after the other; a string is one of ours, without quotes of SQL."""
    first, *others = (literal_column(f"'{part}'", Text) if isinstance(part, str) else part for part in parts)
    for other in others:
        first = first.op("||")(other)
    return first


@lru_cache(maxsize=256)
def _sections_statement(names: tuple[str, ...]) -> Prepared:
    head = _head(Kind.SECTIONS, names).label("head")
    others = (documents.c[name] for name in names if name != "head")
    statement = (
        select(documents.c.ordinal, cast(documents.c.id, Text).label("id"), head, *others)
        .where(
            documents.c.district_id == DISTRICT,
            documents.c.numbering == literal_column("'sections'"),
            among(documents.c.ordinal),
        )
        .order_by(documents.c.ordinal)
    )
    return Prepared(with_sections(statement, DISTRICT))


async def _read_sections(snapshot: Snapshot, view: View, ordinals: AbstractBitMap, uri: str | None) -> Page:
    names = granted_fragments(view.fields, Kind.SECTIONS)
    rows = await _sections_statement(names).fetch(
        snapshot.driver, district_id=view.district_id, ordinals=ordinals.to_array()
    )
    if not rows:
        return Page()
    persons, texts = BitMap(), []
    for row in rows:
        own = "".join(row[name] for name in names)
        members = ",".join((own, *section_references.members(row, view, persons)))
        texts.append(f"{{{members}}}" if uri is None else f'{{"data":{{{members}}},"uri":"{uri}{row["id"]}"}}')
    separator = "\n" if uri is None else ","
    return Page([separator.join(texts).encode()], rows[0]["id"], rows[-1]["id"], frozenset({Kind.SECTIONS}), persons)
