"""Tables of ledgers, feeds, record documents, disclosures and volumes."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from sharing_service.database import Base
from sharing_service.roster.models import EXACT, now


class StoredLedger(Base):
    """What one grant shared from a revision on: one Roaring bitmap of ordinals per kind. Never changed once written."""

    __tablename__ = "ledgers"
    __table_args__ = (
        PrimaryKeyConstraint("district_id", "id"),
        Index(None, "district_id", "application_id"),
    )

    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"))
    id: Mapped[UUID] = mapped_column(Uuid)
    application_id: Mapped[UUID] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    schools: Mapped[bytes] = mapped_column(LargeBinary)
    terms: Mapped[bytes] = mapped_column(LargeBinary)
    courses: Mapped[bytes] = mapped_column(LargeBinary)
    sections: Mapped[bytes] = mapped_column(LargeBinary)
    students: Mapped[bytes] = mapped_column(LargeBinary)
    teachers: Mapped[bytes] = mapped_column(LargeBinary)
    staff: Mapped[bytes] = mapped_column(LargeBinary)
    contacts: Mapped[bytes] = mapped_column(LargeBinary)


FRAGMENTS: Final = (
    "head",
    "email",
    "identity",
    "numbers",
    "demographics",
    "status",
    "address",
    "credentials",
    "ext",
)
"""The parts of a document: `head` and `email` are members of the object itself, the others (for users) of its role."""
UNGROUPED: Final = ("head", "identity")
"""Fragments that every answer has."""

documents: Final = Table(
    "documents",
    Base.metadata,
    Column("district_id", Uuid, nullable=False),
    Column("numbering", EXACT, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("kind", EXACT, nullable=False),
    *(Column(name, Text, nullable=False, server_default=text("''")) for name in FRAGMENTS),
    Column("times", EXACT, nullable=False, server_default=text("''"), comment="of the last change of each fragment"),
    Column("schools", ARRAY(Integer), nullable=False, server_default=text("'{}'"), comment="where a person is"),
    Column("referring", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("district_id", "numbering", "ordinal"),
)
"""JSON members of each record, ready as text, one fragment per field group.

`referring` is what a person refers to, as if all of it were shared: the ids of `schools` in their order, or the
relationships of a contact. `delivery.references` uses it only where all of it is shared.
"""


class FeedEntry(Base):
    """What one revision changed for one grant among the records of one kind, as Roaring bitmaps of ordinals."""

    __tablename__ = "feed"
    __table_args__ = (
        PrimaryKeyConstraint("district_id", "application_id", "revision", "place"),
        ForeignKeyConstraint(
            ["district_id", "application_id"], ["grants.district_id", "grants.application_id"], ondelete="CASCADE"
        ),
    )

    district_id: Mapped[UUID] = mapped_column(Uuid)
    application_id: Mapped[UUID] = mapped_column(Uuid)
    revision: Mapped[int] = mapped_column(BigInteger)
    place: Mapped[int] = mapped_column(SmallInteger)
    """Of the kind in `delivery.feed.ORDER`."""
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    last_id: Mapped[UUID] = mapped_column(Uuid)
    """The id of its last event."""
    created: Mapped[bytes] = mapped_column(LargeBinary)
    updated: Mapped[bytes] = mapped_column(LargeBinary)
    deleted: Mapped[bytes] = mapped_column(LargeBinary)


class Disclosure(Base):
    """An answer that carried persons to an application (34 CFR 99.32): written and committed before its first byte."""

    __tablename__ = "disclosures"
    __table_args__ = (
        PrimaryKeyConstraint("district_id", "id"),
        Index(None, "district_id", "application_id", "at"),
    )

    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"))
    id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    application_id: Mapped[UUID] = mapped_column(Uuid)
    token_id: Mapped[UUID] = mapped_column(Uuid)
    route: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(BigInteger)
    field_groups: Mapped[list[str]] = mapped_column(ARRAY(Text))
    persons: Mapped[bytes] = mapped_column(LargeBinary)
    """Roaring bitmap of the ordinals of the persons whose records were in the answer."""


class TokenVolume(Base):
    """How many persons the answers to one token held within an hour (UTC), counted by all processes; kept two days."""

    __tablename__ = "token_volumes"
    __table_args__ = (PrimaryKeyConstraint("district_id", "token_id", "hour"),)

    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"))
    token_id: Mapped[UUID] = mapped_column(Uuid)
    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    """Its first moment."""
    persons: Mapped[int] = mapped_column(BigInteger)
    alarmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When the district was told that they are unusually many."""
