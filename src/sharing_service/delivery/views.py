"""Views: a roster as one application sees it, of one instant; every partner answer is read through one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from pyroaring import AbstractBitMap, FrozenBitMap
from sqlalchemy import LargeBinary, Text, Uuid, bindparam, cast, select

from sharing_service.access.models import Token
from sharing_service.access.tokens import IDENTIFYING, USABLE
from sharing_service.database import Prepared, Snapshot
from sharing_service.delivery import ledger
from sharing_service.delivery.ledger import Ledger
from sharing_service.errors import GrantPaused, NotFound, NothingPublished
from sharing_service.roster.catalogue import PEOPLE, Kind, Numbering
from sharing_service.roster.models import District, Identity
from sharing_service.sharing.fields import GrantedFields, from_names
from sharing_service.sharing.models import Grant

BEFORE_ALL: Final = -1
"""Below every ordinal."""
AFTER_ALL: Final = 2**31 - 1
"""Above every ordinal."""


DIGEST: Final = bindparam("digest", type_=LargeBinary)
"""Of the token that a request presents."""


class Places(NamedTuple):
    """The ids that a request names, each in its numbering; absent ones are None."""

    record: tuple[Numbering, UUID] | None = None
    after: tuple[Numbering, UUID] | None = None
    before: tuple[Numbering, UUID] | None = None


@dataclass(frozen=True)
class View:
    """One application's part of a district, and where in it the ids of the request stand."""

    district_id: UUID
    application_id: UUID
    district_name: str
    published_revision: int | None
    published_at: datetime | None
    revision: int
    """The last one that may have changed what the application sees."""
    connected_at: datetime
    connected_revision: int
    expired_event: UUID | None
    """The last event of the feed that is gone."""
    paused_at: datetime | None
    fields: GrantedFields
    ledger: Ledger
    record: int | None
    """The ordinal of the record that the request names; None if there was never one."""
    after: int | None
    """Every ordinal above it has a greater id than the cursor."""
    before: int | None
    """Every ordinal below it has a smaller id than the cursor."""

    @property
    def people(self) -> FrozenBitMap:
        """Everybody whom the application sees; contacts are among them if its fields have them."""
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
        kinds = PEOPLE if numbering == "people" else (Kind(numbering),)
        return ordinal is not None and any(ordinal in self.of_kind(kind) for kind in kinds)

    def check_open(self) -> None:
        """GrantPaused or NothingPublished when the truth cannot be told: an empty answer would delete rosters."""
        if self.paused_at is not None:
            raise GrantPaused
        if self.published_revision is None:
            raise NothingPublished


_place = Identity.__table__.alias("place")
_here: Final = (_place.c.district_id == bindparam("district_id", type_=Uuid),)
_numbering: Final = bindparam("numbering", type_=Text)
_record_numbering: Final = bindparam("record_numbering", type_=Text)
_record, _after, _before = (bindparam(name, type_=Uuid) for name in ("record", "after", "before"))

# Ids ascend with ordinals, so a cursor is compared and need not be the id of any record.
ENTERING: Final = (
    select(
        *IDENTIFYING,
        Grant.revision,
        Grant.ledger_id,
        Grant.connected_at,
        Grant.connected_revision,
        Grant.expired_event,
        Grant.paused_at,
        District.name.label("district_name"),
        District.published_revision,
        District.published_at,
        cast(Grant.fields, Text).label("fields"),
        select(_place.c.ordinal)
        .where(*_here, _place.c.numbering == _record_numbering, _place.c.id == _record)
        .scalar_subquery()
        .label("record"),
        select(_place.c.ordinal)
        .where(*_here, _place.c.numbering == _numbering, _place.c.id <= _after)
        .order_by(_place.c.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("after"),
        select(_place.c.ordinal)
        .where(*_here, _place.c.numbering == _numbering, _place.c.id >= _before)
        .order_by(_place.c.id)
        .limit(1)
        .scalar_subquery()
        .label("before"),
    )
    .select_from(Token)
    .outerjoin(Grant, (Grant.district_id == Token.district_id) & (Grant.application_id == Token.application_id))
    .outerjoin(District, District.id == Grant.district_id)
    .where(
        Token.digest == DIGEST,
        Token.district_id == bindparam("district_id", type_=Uuid),
        *USABLE,
    )
)
"""The row of a usable token, and beside it all that `visit` needs."""
_ENTER: Final = Prepared(ENTERING)


async def enter(snapshot: Snapshot, district_id: UUID, digest: bytes, places: Places) -> Mapping[str, Any] | None:
    """The row of a usable token of this district, and beside it all that `visit` needs; None if there is none."""
    row: Mapping[str, Any] | None = await _ENTER.fetchrow(snapshot.driver, **entering(district_id, digest, places))
    return row


def entering(district_id: UUID, digest: bytes, places: Places) -> dict[str, Any]:
    """The values that `ENTERING` asks for."""
    record_numbering, record = places.record or (None, None)
    numbering, after = places.after or (None, None)
    numbering, before = places.before or (numbering, None)
    return {
        "district_id": district_id,
        "digest": digest,
        "record_numbering": record_numbering,
        "record": record,
        "numbering": numbering,
        "after": after,
        "before": before,
    }


async def visit(snapshot: Snapshot, entered: Mapping[str, Any], places: Places) -> View:
    """Open the view of the application whose token entered, or NotFound while it is not connected."""
    if entered["revision"] is None:
        raise NotFound
    return view_of(entered, places, await ledger.of_id(snapshot, entered["district_id"], entered["ledger_id"]))


def view_of(entered: Mapping[str, Any], places: Places, shared: Ledger) -> View:
    """The view of a connected application, given its present ledger."""
    return View(
        district_id=entered["district_id"],
        application_id=entered["application_id"],
        district_name=entered["district_name"],
        published_revision=entered["published_revision"],
        published_at=entered["published_at"],
        revision=entered["revision"],
        connected_at=entered["connected_at"],
        connected_revision=entered["connected_revision"],
        expired_event=entered["expired_event"],
        paused_at=entered["paused_at"],
        fields=fields_of(entered["fields"]),
        ledger=shared,
        record=entered["record"],
        after=_or(entered["after"], BEFORE_ALL) if places.after else None,
        before=_or(entered["before"], AFTER_ALL) if places.before else None,
    )


@lru_cache(maxsize=256)
def fields_of(text: str) -> GrantedFields:
    """What a stored text says, which never changes."""
    return GrantedFields(from_names(json.loads(text)))


def _or(ordinal: int | None, otherwise: int) -> int:
    return otherwise if ordinal is None else ordinal
