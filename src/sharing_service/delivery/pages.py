"""Reads pages of records as one application sees them, at once or part by part.

Most are joined by PostgreSQL. Only sections are put together here: they refer to any number of people.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pyroaring import AbstractBitMap, BitMap
from sqlalchemy import Text, cast, literal_column, select

from sharing_service.database import Prepared, Snapshot
from sharing_service.delivery import section_references
from sharing_service.delivery.fragments import granted_fragments
from sharing_service.delivery.joining import RELATED, Fragments, Joined, head_of, in_parts
from sharing_service.delivery.models import documents
from sharing_service.delivery.references import DISTRICT, among, with_sections
from sharing_service.delivery.views import View
from sharing_service.roster.catalogue import PEOPLE, Kind, Numbering


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


@dataclass(slots=True)
class Stream:
    """A page whose documents are still to be read; everybody who is in them is known before."""

    page: Page
    """Its `parts` stay empty, and its ends are known when all documents have been read."""
    parts: AsyncGenerator[bytes]
    """The documents as the parts of a page hold them."""


async def read(
    snapshot: Snapshot, view: View, numbering: Numbering, ordinals: AbstractBitMap, *, uri: str | None = None
) -> Page:
    """The documents of these ordinals, by one statement. Whoever asks has checked that they are shared.

    With a `uri` each stands in an envelope that names its address, which is the `uri` and its id; without, each stands
    on a line of its own. If a contact refers to somebody who is not shared, it takes a second statement.
    """
    if not ordinals:
        return Page()
    match numbering:
        case "sections":
            return await _read_sections(snapshot, view, ordinals, uri)
        case others:
            page, hidden = await _read_joined(snapshot, view, others, ordinals, uri, BitMap())
            if hidden:
                page, _ = await _read_joined(snapshot, view, others, ordinals, uri, hidden)
            return page


async def stream(
    snapshot: Snapshot, view: View, numbering: Joined, ordinals: AbstractBitMap, *, uri: str | None = None
) -> Stream:
    """What `read` gives, read only while somebody takes its parts, within the snapshot.

    If there are contacts in it, one statement asks beforehand to whom they refer.
    """
    contacts = ordinals & view.of_kind(Kind.CONTACTS) if numbering == "people" else BitMap()
    related = BitMap()
    if contacts:
        row = await RELATED.fetchrow(snapshot.driver, district_id=view.district_id, contacts=contacts.to_array())
        related = BitMap((row and row["related"]) or ())
    students = view.of_kind(Kind.STUDENTS)
    granted = _granted(view, numbering, ordinals)
    page = Page(kinds=frozenset(kind for kind, _ in granted))
    if numbering == "people":
        page.persons = BitMap(ordinals) | (related & students)
    statement = in_parts(numbering, granted, enveloped=uri is not None, relating=False)
    values = _values(view, numbering, ordinals, uri, related - students)
    return Stream(page, _parts(statement.rows(snapshot.driver, **values), page))


async def _parts(rows: AsyncGenerator[Mapping[str, Any]], page: Page) -> AsyncGenerator[bytes]:
    async with aclosing(rows):
        async for row in rows:
            if row["body"] is not None:
                page.first, page.last = page.first or str(row["first"]), str(row["last"])
                yield row["body"]


async def _read_joined(
    snapshot: Snapshot, view: View, numbering: Joined, ordinals: AbstractBitMap, uri: str | None, hidden: BitMap
) -> tuple[Page, BitMap]:
    """A page that hides these students from the contacts in it, and the students whom it should have hidden."""
    granted = _granted(view, numbering, ordinals)
    kinds = frozenset(kind for kind, _ in granted)
    relating = Kind.CONTACTS in kinds
    values = _values(view, numbering, ordinals, uri, hidden)
    if relating:
        values["contacts"] = (ordinals & view.of_kind(Kind.CONTACTS)).to_array()
    statement = in_parts(numbering, granted, enveloped=uri is not None, relating=relating)
    page, related = Page(kinds=kinds), BitMap()
    for row in await statement.fetch(snapshot.driver, **values):
        part, related = page_of(row, view, numbering)
        page.add(part)
    return page, related - view.of_kind(Kind.STUDENTS) - hidden


def _granted(view: View, numbering: Joined, ordinals: AbstractBitMap) -> Fragments:
    kinds = PEOPLE if numbering == "people" else (Kind(numbering),)
    return tuple(
        (kind, granted_fragments(view.fields, kind)) for kind in kinds if ordinals.intersect(view.of_kind(kind))
    )


def _values(view: View, numbering: Joined, ordinals: AbstractBitMap, uri: str | None, hidden: BitMap) -> dict[str, Any]:
    return {
        "district_id": view.district_id,
        "ordinals": ordinals.to_array(),
        "uri": uri,
        "schools": view.ledger.school_mask if numbering == "people" else b"",
        "hidden": hidden.to_array(),
    }


def page_of(row: Mapping[str, Any], view: View, numbering: Numbering) -> tuple[Page, BitMap]:
    """The page in a row of `joined`, whose kinds are not told there, and the students to whom its contacts refer."""
    if row["body"] is None:
        return Page(), BitMap()
    related = BitMap(row.get("related") or ())
    page = Page([row["body"]], str(row["first"]), str(row["last"]))
    if numbering == "people":
        page.persons = BitMap(row["ordinals"]) | (related & view.of_kind(Kind.STUDENTS))
    return page, related


@lru_cache(maxsize=256)
def _sections_statement(names: tuple[str, ...]) -> Prepared:
    head = head_of(Kind.SECTIONS, names).label("head")
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
