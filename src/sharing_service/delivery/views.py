"""Views: a roster as one application sees it, of one instant; every partner answer is read through one."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

from pyroaring import AbstractBitMap, BitMap
from sqlalchemy import ColumnElement, Integer, Select, func, literal, null, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery import ledger
from sharing_service.delivery.ledger import Ledger
from sharing_service.errors import GrantPaused, NotFound, NothingPublished
from sharing_service.roster.catalogue import Kind, Numbering
from sharing_service.roster.models import District, Identity
from sharing_service.sharing.fields import ApplicationFields
from sharing_service.sharing.models import Application, Grant

AFTER_ALL: Final = 2**31 - 1
"""Above every ordinal."""


class Places(NamedTuple):
    """The ids that a request names, each in its numbering; absent ones are None."""

    record: tuple[Numbering, UUID] | None = None
    after: tuple[Numbering, UUID] | None = None
    before: tuple[Numbering, UUID] | None = None


@dataclass(frozen=True)
class View:
    """One application's part of a district, and where in it the ids of the request stand."""

    district: District
    grant: Grant
    fields: ApplicationFields
    ledger: Ledger
    record: int | None
    """The ordinal of the record that the request names; None if there was never one."""
    after: int | None
    """Every ordinal above it has a greater id than the cursor."""
    before: int | None
    """Every ordinal below it has a smaller id than the cursor."""

    @cached_property
    def people(self) -> BitMap:
        """Everybody whom the application sees; contacts are among them if its fields ask for them."""
        return self.ledger.users(contacts=self.fields.wants_contacts)

    def of(self, numbering: Numbering) -> AbstractBitMap:
        """The ordinals of one numbering that the application sees."""
        return self.people if numbering == "people" else self.ledger.of(Kind(numbering))

    def of_kind(self, kind: Kind) -> AbstractBitMap:
        """The ordinals of one kind that the application sees."""
        hidden = kind is Kind.CONTACTS and not self.fields.wants_contacts
        return ledger.EMPTY.of(kind) if hidden else self.ledger.of(kind)

    def sees(self, numbering: Numbering, ordinal: int | None) -> bool:
        """Whether the application sees this record; None is a record that never was."""
        return ordinal is not None and ordinal in self.of(numbering)

    def check_open(self) -> None:
        """GrantPaused or NothingPublished when the truth cannot be told: an empty answer would delete rosters."""
        if self.grant.paused_at is not None:
            raise GrantPaused
        if self.district.published_revision is None:
            raise NothingPublished


async def visit(session: AsyncSession, district_id: UUID, application_id: UUID, places: Places) -> View:
    """Open the view of an application, or NotFound while it is not connected."""
    row = (await session.execute(_select_visit(district_id, application_id, places))).one_or_none()
    if row is None:
        raise NotFound
    district, grant, fields, record, after, before = row
    return View(
        district=district,
        grant=grant,
        fields=ApplicationFields.model_validate(fields),
        ledger=await ledger.current(session, district_id, grant),
        record=record,
        after=after,
        before=before,
    )


def _select_visit(
    district_id: UUID, application_id: UUID, places: Places
) -> Select[District, Grant, dict[str, object], int | None, int | None, int | None]:
    nowhere = type_coerce(null(), Integer)
    return (
        select(
            District,
            Grant,
            Application.fields,
            _ordinal_of(district_id, *places.record) if places.record else nowhere,
            _last_ordinal_up_to(district_id, *places.after) if places.after else nowhere,
            _first_ordinal_from(district_id, *places.before) if places.before else nowhere,
        )
        .join_from(Grant, District, District.id == Grant.district_id)
        .join(Application, Application.id == Grant.application_id)
        .where(Grant.district_id == district_id, Grant.application_id == application_id)
    )


def _ordinal_of(district_id: UUID, numbering: Numbering, record_id: UUID) -> ColumnElement[int | None]:
    return (
        select(Identity.ordinal)
        .where(Identity.district_id == district_id, Identity.numbering == numbering, Identity.id == record_id)
        .scalar_subquery()
    )


# Ids ascend with ordinals, so a cursor is compared and need not be the id of any record.
def _last_ordinal_up_to(district_id: UUID, numbering: Numbering, cursor: UUID) -> ColumnElement[int]:
    ordinal = (
        select(Identity.ordinal)
        .where(Identity.district_id == district_id, Identity.numbering == numbering, Identity.id <= cursor)
        .order_by(Identity.id.desc())
        .limit(1)
    )
    return func.coalesce(ordinal.scalar_subquery(), literal(-1))


def _first_ordinal_from(district_id: UUID, numbering: Numbering, cursor: UUID) -> ColumnElement[int]:
    ordinal = (
        select(Identity.ordinal)
        .where(Identity.district_id == district_id, Identity.numbering == numbering, Identity.id >= cursor)
        .order_by(Identity.id)
        .limit(1)
    )
    return func.coalesce(ordinal.scalar_subquery(), literal(AFTER_ALL))
