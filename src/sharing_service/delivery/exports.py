"""Exports: what a grant shares as rows, a page of them or all as CSV (RFC 4180)."""

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pyroaring import FrozenBitMap
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery import ledger
from sharing_service.delivery.ledger import Ledger
from sharing_service.roster import queries
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.queries import Json, Shape
from sharing_service.sharing import applications, grants
from sharing_service.sharing.fields import ApplicationFields
from sharing_service.sharing.models import Grant

AT_ONCE: Final = 2000
"""Records read at once: what an export holds in memory."""

FORMULA: Final = "=+-@\t\r"
"""A spreadsheet runs a cell that begins so (CWE-1236); an apostrophe makes it text."""


@dataclass(frozen=True, slots=True)
class Export:
    """What one grant shares, in the fields that its application receives."""

    grant: Grant
    fields: ApplicationFields
    ledger: Ledger

    def shape(self, kind: Kind) -> Shape:
        """Which fields the rows of a kind have, and which records they may name."""
        return Shape(self.fields.granted(kind), self.ledger.sets)


async def of(session: AsyncSession, district_id: UUID, application_id: UUID) -> Export:
    """The export of a connected application."""
    grant = await grants.get(session, district_id, application_id)
    application = await applications.get(session, application_id)
    fields = ApplicationFields.model_validate(application.fields)
    return Export(grant, fields, await ledger.current(session, district_id, grant))


async def page(
    session: AsyncSession, district_id: UUID, kind: Kind, export: Export, *, after: UUID | None, limit: int
) -> tuple[list[Json], int]:
    """Up to `limit` shared records after an id, and how many are shared."""
    shared = export.ledger.of(kind)
    last = None if after is None else await queries.last_ordinal_up_to(session, district_id, kind, after)
    start = 0 if last is None else shared.rank(last)
    return await _rows(session, district_id, kind, export, start=start, limit=limit), len(shared)


async def as_csv(session: AsyncSession, district_id: UUID, kind: Kind, export: Export) -> AsyncIterator[bytes]:
    """All shared records of a kind, the header first; the snapshot of the session must outlive the last piece."""
    columns = export.shape(kind).columns(kind)
    yield _lines([columns])
    for start in range(0, len(export.ledger.of(kind)), AT_ONCE):
        rows = await _rows(session, district_id, kind, export, start=start, limit=AT_ONCE)
        yield _lines([[_cell(row[name]) for name in columns] for row in rows])


async def _rows(
    session: AsyncSession, district_id: UUID, kind: Kind, export: Export, *, start: int, limit: int
) -> list[Json]:
    shared: FrozenBitMap = export.ledger.of(kind)
    return await queries.rows(session, district_id, kind, list(shared[start : start + limit]), shape=export.shape(kind))


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return "'" + value if value[0] in FORMULA else value
    if isinstance(value, list):
        return ";".join(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
