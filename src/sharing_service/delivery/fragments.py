"""The text of stored documents: JSON members of each record, one fragment per field group, as SQL over its table.

A first sync writes millions of values, so the text of a record of which no value needs an escape is only put together;
whether that is so is looked at once for all of its values.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache, reduce
from operator import add
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Subquery, Text, case, cast, func, literal, literal_column, select

from sharing_service.delivery.models import FRAGMENTS, UNGROUPED
from sharing_service.delivery.modified import FORMAT
from sharing_service.roster.catalogue import EXTENSIBLE, FIELDS, PEOPLE, Field, Group, Kind, numbering_of
from sharing_service.roster.models import RECORDS
from sharing_service.sharing.fields import GrantedFields

NEVER_NULL: Final = frozenset(
    {"name", "sis_id", "school_number", "roles.student.sis_id", "roles.teacher.sis_id", "roles.staff.staff_id"}
)
"""Members that are an empty string when there is no value; so is every member of an inner object. Others are null."""
DERIVED: Final = (Kind.COURSES, Kind.TERMS)

Json = ColumnElement[str]
"""An expression that gives JSON as text."""
Pieces = list[str | Json]
"""JSON in pieces: text as it is, and what is formed of each record."""
EMPTY_MIDDLE: Final[Pieces] = ['"middle":""']
"""Staff and contacts have no middle name."""
Quote = Callable[[ColumnElement[str]], Pieces]
"""Makes a JSON string of a value, or nothing of null."""


def records(kind: Kind, district_id: UUID, listed: FromClause | None, within: range | None = None) -> Subquery:
    """The listed records of a district, or all of them, or those `within` a range; and of each whether it is `plain`.

    It is, if no value that its document tells needs an escape.
    """
    record = RECORDS[kind]
    values = [record.c[field.name] for field in FIELDS[kind] if field.path]
    # What needs an escape becomes longer.
    bare = reduce(add, map(func.octet_length, values))
    plain = func.octet_length(cast(func.to_json(reduce(add, values)), Text)) == bare + 2
    found = select(record, plain.label("plain")).where(record.c.district_id == district_id)
    if listed is not None:
        found = found.where(record.c.ordinal == listed.c.ordinal, listed.c.numbering == numbering_of(kind))
    if within is not None:
        found = found.where(record.c.ordinal.between(within.start, within.stop - 1))
    # The offset keeps the planner from looking again wherever `plain` is named.
    return found.offset(literal_column("0")).subquery(kind.value)


def fragments(kind: Kind, district_id: UUID, record: FromClause) -> dict[str, Json]:
    """The text of every fragment that this kind has, without outer braces, as expressions over its `records`.

    Those that may be left out begin with a comma, so that a document is its fragments one after the other.
    """
    plain, escaped = [_fragments(kind, district_id, record, quote) for quote in (_quoted, _escaped)]
    return {
        name: case((record.c.plain, _concatenated(plain[name])), else_=_concatenated(escaped[name]))
        for name in FRAGMENTS
        if name in plain
    }


@cache
def stored_fragments(kind: Kind) -> tuple[str, ...]:
    """The names of the fragments that every document of this kind has; none of them is empty."""
    return tuple(fragments(kind, UUID(int=0), records(kind, UUID(int=0), None)))


@lru_cache(maxsize=1024)
def granted_fragments(fields: GrantedFields, kind: Kind) -> tuple[str, ...]:
    """The names of the fragments of this kind that an application gets with these fields."""
    groups = fields.granted(kind)
    return tuple(name for name in stored_fragments(kind) if name in UNGROUPED or name in groups)


def _fragments(kind: Kind, district_id: UUID, record: FromClause, quote: Quote) -> dict[str, Pieces]:
    members: dict[str, list[Pieces]] = defaultdict(list)
    members["head"] += [
        _member("id", _quoted(cast(record.c.id, Text))),
        _member("district", [f'"{district_id}"']),
    ]
    for name, fields in _by_fragment(kind).items():
        members[name] += _members(kind, record, fields, quote)
    if kind not in DERIVED:
        members["head"] += [
            _member("created", _time(record.c.created_at)),
            _member("last_modified", _time(record.c.modified_at)),
        ]
    if kind in EXTENSIBLE:
        members["ext"].append(_member("ext", [cast(record.c.ext, Text)]))
    return {
        name: _joined(inner) if name in UNGROUPED else [",", *_joined(inner)]
        for name, inner in members.items()
        if inner
    }


def _by_fragment(kind: Kind) -> dict[str, list[Field]]:
    fields: dict[str, list[Field]] = defaultdict(list)
    for field in FIELDS[kind]:
        if field.path:
            fields[_fragment_of(kind, field)].append(field)
    return fields


def _fragment_of(kind: Kind, field: Field) -> str:
    if kind in PEOPLE and field.path.startswith("roles."):
        # A contact is in an answer only if contacts are granted: it has no finer groups.
        return Group.IDENTITY if field.group is Group.CONTACTS else field.group
    return "email" if field.group is Group.EMAIL else "head"


def _members(kind: Kind, record: FromClause, fields: Sequence[Field], quote: Quote) -> Iterator[Pieces]:
    objects: dict[str, list[Pieces]] = defaultdict(list)
    for field in fields:
        value = record.c[field.name]
        filled = func.nullif(value, "")
        *outer, name = field.path.removeprefix(f"roles.{_role(kind)}.").split(".")
        if outer:
            objects[outer[0]].append(_member(name, quote(value)))
        elif kind is Kind.CONTACTS and name == "name":
            yield _member("name", _contact_name(value, quote))
        elif field.path == "roles.staff.roles":
            yield _member(name, [func.coalesce(_concatenated(["[", *quote(filled), "]"]), "[]")])
        elif field.path in NEVER_NULL and kind not in DERIVED:
            yield _member(name, quote(value))
        else:
            yield _member(name, [func.coalesce(_concatenated(quote(filled)), "null")])
    if kind is Kind.STAFF and "name" in objects:
        objects["name"].append(EMPTY_MIDDLE)
    for name, inner in objects.items():
        yield _member(name, ["{", *_joined(inner), "}"])


def _contact_name(value: ColumnElement[str], quote: Quote) -> Pieces:
    """A contact's name comes in one piece: the last word is taken for the last name, a single word for the first."""
    if quote is _quoted:
        # Without control characters only spaces part words, and a search for them takes a tenth of a pattern's time.
        word = func.split_part(value, " ", -1)
        first = func.nullif(func.rtrim(func.left(value, -func.length(word)), " "), "")
        last: ColumnElement[str] = case((func.strpos(value, " ") > 0, word), else_="")
    else:
        first = func.substring(value, r"^(.*\S)\s+\S+$")
        last = func.coalesce(func.substring(value, r"\s(\S+)$"), "")
    first = func.coalesce(first, value)
    return ["{", *_joined([_member("first", quote(first)), EMPTY_MIDDLE, _member("last", quote(last))]), "}"]


def _role(kind: Kind) -> str:
    return kind.value if kind is Kind.STAFF else kind.value.removesuffix("s")


def _member(name: str, value: Pieces) -> Pieces:
    return [f'"{name}":', *value]


def _joined(members: Sequence[Pieces]) -> Pieces:
    first, *others = members
    return [*first, *(piece for other in others for piece in (",", *other))]


def _concatenated(pieces: Pieces) -> Json:
    joined: list[Json] = []
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
        else:
            joined += [literal(text, Text), piece]
            text = ""
    return reduce(add, [*joined, literal(text, Text)] if text else joined)


def _quoted(value: ColumnElement[str]) -> Pieces:
    return ['"', value, '"']


def _escaped(value: ColumnElement[str]) -> Pieces:
    return [cast(func.to_json(value), Text)]


def _time(value: ColumnElement[Any]) -> Pieces:
    told, now = [func.to_char(func.timezone("UTC", time), FORMAT) for time in (value, func.now())]
    # Written once for all records of this transaction: their time is the same.
    return _quoted(case((value == func.now(), select(now).scalar_subquery()), else_=told))
