"""A district written straight into the tables of the roster, for tests of what reads them."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pyroaring import BitMap
from sqlalchemy import Table, insert, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.access.models import Token
from sharing_service.access.tokens import Tokens, compose, random_secret
from sharing_service.database import enter_district
from sharing_service.delivery import documents
from sharing_service.delivery.models import StoredLedger
from sharing_service.roster.catalogue import EXTENSIBLE, FIELDS, Kind, Numbering, numbering_of
from sharing_service.roster.models import (
    RECORDS,
    District,
    Identity,
    contact_students,
    school_people,
    section_students,
    section_teachers,
    student_sections,
)
from sharing_service.sharing.fields import ApplicationFields, names_of
from sharing_service.sharing.models import Application, Grant

NUMBERINGS: tuple[Numbering, ...] = ("schools", "terms", "courses", "sections", "people")
Sets = Mapping[Kind, Sequence[int]]


async def add_district(session: AsyncSession, district: District) -> None:
    """Add a district as its operator would; whatever else a session does stays in its role."""
    role = await session.scalar(text("select quote_ident(current_user)"))
    await session.execute(text("set local role none"))
    session.add(district)
    await session.flush()
    await session.execute(text(f"set local role {role}"))


@dataclass
class Roster:
    """Rows of one district; every method that adds a record returns its ordinal."""

    district_id: UUID = field(default_factory=uuid7)
    ids: dict[tuple[Numbering, int], str] = field(default_factory=dict)
    rows: list[tuple[Table, dict[str, Any]]] = field(default_factory=list)
    enrolled: dict[int, list[int]] = field(default_factory=dict)
    kinds: dict[Kind, list[int]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    _base: int = field(default_factory=lambda: secrets.randbits(47) << 80)

    def record(self, kind: Kind, **values: Any) -> int:
        """A record of any kind; values by catalogue name."""
        numbering = numbering_of(kind)
        ordinal = sum(name == numbering for name, _ in self.ids)
        # Ids ascend with ordinals, as the service gives them.
        record_id = UUID(int=self._base | 7 << 76 | 2 << 62 | ordinal << 42 | NUMBERINGS.index(numbering))
        self.ids[numbering, ordinal] = str(record_id)
        self.kinds[kind].append(ordinal)
        row: dict[str, Any] = {field.name: "" for field in FIELDS[kind]} | ({"ext": {}} if kind in EXTENSIBLE else {})
        common = {"district_id": self.district_id, "ordinal": ordinal, "id": record_id}
        self.rows.append((RECORDS[kind], row | common | values))
        self.rows.append(
            (
                Identity.__table__,  # type: ignore[arg-type]
                common | {"kind": kind.value, "key": values.get("sis_id") or str(ordinal), "numbering": numbering},
            )
        )
        return ordinal

    def person(self, kind: Kind, *, schools: Sequence[int], through: Sequence[int] = (), **values: Any) -> int:
        """A student, teacher or staff member at schools: by own rows, and through sections only."""
        person = self.record(kind, **values)
        positions: list[tuple[int, int | None]] = [(school, n) for n, school in enumerate(schools)]
        for school, position in positions + [(school, None) for school in through]:
            self.link(school_people, person=person, school=school, kind=kind.value, position=position)
        return person

    def section(self, *, school: int, students: Sequence[int] = (), teachers: Sequence[int] = (), **values: Any) -> int:
        """A section with people, the primary teacher first."""
        section = self.record(Kind.SECTIONS, school=school, **({"course": None, "term": None} | values))
        if students:
            self.link(section_students, section=section, students=sorted(students))
        for student in students:
            self.enrolled.setdefault(student, []).append(section)
        for position, teacher in enumerate(teachers):
            self.link(section_teachers, section=section, teacher=teacher, position=position)
        return section

    def contact(self, *, students: Iterable[tuple[int, str, str]], **values: Any) -> int:
        """A contact of students, each with relationship and type."""
        contact = self.record(Kind.CONTACTS, **values)
        for student, relationship, type_ in students:
            self.link(contact_students, contact=contact, student=student, relationship=relationship, type=type_)
        return contact

    def link(self, table: Table, **values: Any) -> None:
        """A row of a table that links records."""
        self.rows.append((table, {"district_id": self.district_id, **values}))

    def everything(self) -> dict[Kind, Sequence[int]]:
        """The ordinals of all records."""
        return {kind: list(ordinals) for kind, ordinals in self.kinds.items()}

    async def publish(self, session: AsyncSession) -> None:
        """Write district, rows and documents."""
        await enter_district(session, self.district_id)
        await add_district(session, District(id=self.district_id, name="Riverbend", revision=1, published_revision=1))
        for student, sections in self.enrolled.items():
            self.link(student_sections, student=student, sections=sections)
        for table, row in self.rows:
            await session.execute(insert(table).values(row))
        await self.touch(session, self.ids)

    async def touch(
        self,
        session: AsyncSession,
        touched: Iterable[tuple[Numbering, int]],
        left: Iterable[tuple[Numbering, int]] = (),
        relinked: Iterable[tuple[Numbering, int]] = (),
    ) -> None:
        """Rewrite documents as a sync does."""
        for table, members in ((documents.TOUCHED, touched), (documents.RELINKED, relinked), (documents.LEFT, left)):
            await session.execute(text(f"drop table if exists {table.name}"))
            await session.execute(
                text(f'create temporary table {table.name} (numbering text collate "C", ordinal int) on commit drop')
            )
            rows = [{"numbering": numbering, "ordinal": ordinal} for numbering, ordinal in members]
            if rows:
                await session.execute(insert(table), rows)
        await documents.rewrite(session, self.district_id)

    async def grant(
        self, session: AsyncSession, tokens: Tokens, *, sets: Sets | None, fields: Mapping[str, Any] | None = None
    ) -> str:
        """Connect a new application, share these records with it (None: no sharing set), and return a token of it."""
        await enter_district(session, self.district_id)
        application_id = uuid7()
        session.add(
            Application(
                id=application_id,
                name="Reader",
                fields=dict(fields or {}),
                client_id=str(application_id),
            )
        )
        await session.flush()
        ledger_id = None if sets is None else await self._store_ledger(session, application_id, sets)
        session.add(
            Grant(
                district_id=self.district_id,
                application_id=application_id,
                sharing=None if sets is None else {"mode": "district"},
                ledger_id=ledger_id,
                fields=names_of(ApplicationFields.model_validate(fields or {}).asked),
                revision=7,
                decided_revision=7,
            )
        )
        secret = compose(self.district_id, random_secret())
        session.add(
            Token(
                id=uuid7(),
                key_id=tokens.key_id,
                digest=tokens.digest(secret),
                role="application",
                district_id=self.district_id,
                application_id=application_id,
                created_by={},
            )
        )
        await session.flush()
        return secret

    async def _store_ledger(self, session: AsyncSession, application_id: UUID, sets: Sets) -> UUID:
        ledger_id = uuid7()
        bitmaps = {kind.value: BitMap(sets.get(kind, ())).serialize() for kind in Kind}
        session.add(StoredLedger(district_id=self.district_id, id=ledger_id, application_id=application_id, **bitmaps))
        await session.flush()
        return ledger_id
