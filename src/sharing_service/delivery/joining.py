"""The statement of a page: stored fragments of the granted groups, joined with references into parts of many records.

PostgreSQL joins the texts of up to 500 records into one, which passes through here as bytes: through models they
would take a hundred times as long.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
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
    true,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BindParameter, Grouping

from sharing_service.database import Prepared
from sharing_service.delivery.fragments import stored_fragments
from sharing_service.delivery.models import documents
from sharing_service.delivery.modified import head_as_told
from sharing_service.delivery.references import DISTRICT, QUOTED_ID, among, seen_by_grant
from sharing_service.roster.catalogue import PEOPLE, Kind
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
"""Records whose texts are joined into one part; a text of some megabytes takes three times as long to receive."""

Fragments = tuple[tuple[Kind, tuple[str, ...]], ...]
"""The kinds of a page, each with the fragments that are granted."""
Joined = Literal["people", "schools", "courses", "terms"]
"""The numberings whose documents PostgreSQL joins."""
Parts = tuple[ColumnElement[Any] | str, ...]
URI: Final = bindparam("uri", type_=Text)
ORDINALS: Final = bindparam("ordinals", type_=ARRAY(Integer), required=False)


@lru_cache(maxsize=256)
def in_parts(numbering: Joined, granted: Fragments, *, enveloped: bool, relating: bool) -> Prepared:
    """A row for each 500 of the `ordinals`, in their order: `joined` of these, formed when the row is asked for.

    `relating` adds to each the students to whom the `contacts` refer.
    """
    count = func.cardinality(ORDINALS)
    place = func.generate_series(1, count, JOINED_AT_MOST).table_valued("first").render_derived("place")
    some = Grouping(ORDINALS)[place.c.first : place.c.first + (JOINED_AT_MOST - 1)]
    part = with_ordinals(joined(numbering, granted, enveloped=enveloped), some).lateral("part")
    related = [related_students("contacts").label("related")] if relating else []
    return Prepared(select(part, *related).select_from(place.join(part, true())))


def related_students(contacts: str = "ordinals") -> ColumnElement[Any]:
    """The ordinals of the students to whom the contacts of this parameter refer, shared or not; null without any."""
    found = select(func.array_agg(contact_students.c.student.distinct())).where(
        contact_students.c.district_id == DISTRICT,
        among(contact_students.c.contact, contacts),
    )
    return found.scalar_subquery()


RELATED: Final = Prepared(select(related_students("contacts").label("related")))


def with_ordinals(statement: Select[*tuple[Any, ...]], ordinals: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """The statement with an expression for the ordinals that it would be given."""

    def replaced(element: Any, **_: Any) -> Any:
        return ordinals if isinstance(element, BindParameter) and element.key == ORDINALS.key else None

    found: Any = visitors.replacement_traverse(statement, {}, replaced)
    given: Select[*tuple[Any, ...]] = found
    return given


def joined(numbering: Joined, granted: Fragments, *, enveloped: bool) -> Select[*tuple[Any, ...]]:
    """One row: the joined documents of the ordinals, the ids at both ends, and the ordinals found."""
    page = _page(numbering, granted)
    texts = {kind: _document(page, kind, names) for kind, names in granted}
    text = _of_kind(page.c.kind, texts)
    if enveloped:
        text = _concatenated('{"data":', text, ',"uri":"', URI, cast(page.c.id, Text), '"}')
    ids = func.array_agg(page.c.id, type_=ARRAY(Uuid))
    separator: ColumnElement[str] = literal_column("','" if enveloped else "chr(10)")
    return select(
        func.convert_to(func.string_agg(text, separator), literal_column("'UTF8'")).label("body"),
        ids[1].label("first"),
        ids[func.count()].label("last"),
        func.array_agg(page.c.ordinal).label("ordinals"),
    ).select_from(page)


def _page(numbering: Joined, granted: Fragments) -> Subquery:
    # The order makes PostgreSQL read the page before anything is joined, so that references are looked up once.
    referring: dict[Kind, ColumnElement[str]] = {
        kind: seen_by_grant(kind, DISTRICT) for kind, _ in granted if kind in PEOPLE
    }
    needed = dict.fromkeys(name for _, names in granted for name in names)
    heads = {kind: head_of(kind, names) for kind, names in granted}
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


def head_of(kind: Kind, names: Sequence[str]) -> ColumnElement[str]:
    """The head of a document as these granted fragments let it be told."""
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
