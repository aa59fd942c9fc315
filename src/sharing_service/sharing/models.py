"""Tables of applications, grants, sharing history, site selections and blocks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sharing_service.database import Base
from sharing_service.roster.models import EXACT, now


class Application(Base):
    """A partner's product that reads rosters; known to all districts."""

    __tablename__ = "applications"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    recommended_sharing: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    client_id: Mapped[str] = mapped_column(EXACT, unique=True)
    # Moved to client_secrets; the release before this one still writes them, the next one drops them.
    client_secret_key_id: Mapped[str | None] = mapped_column(EXACT)
    client_secret_digest: Mapped[bytes | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ClientSecret(Base):
    """A secret by which an application proves who it is, as a keyed hash; two may work at once, to be rotated."""

    __tablename__ = "client_secrets"
    __table_args__ = (Index(None, "application_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    key_id: Mapped[str] = mapped_column(EXACT)
    """Which key made the digest, so that keys can be rotated."""
    digest: Mapped[bytes] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    created_by: Mapped[dict[str, Any]] = mapped_column(JSONB)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Grant(Base):
    """What one district gives one application: one sharing permission, or none yet."""

    __tablename__ = "grants"
    __table_args__ = (
        PrimaryKeyConstraint("district_id", "application_id"),
        ForeignKeyConstraint(["district_id", "ledger_id"], ["ledgers.district_id", "ledgers.id"]),
        CheckConstraint("(sharing is null) = (ledger_id is null)", name="ledger_with_sharing"),
    )

    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"))
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    sharing: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    version: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Counts the saves of the sharing permission; a restored one is a save too."""
    fields: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    """The field groups that the application receives, as `students.email`: asked for and accepted."""
    declined: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    """The field groups that the district keeps back, asked for or not."""
    fields_revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """The last revision at which the request, `fields` or `declined` changed: what a district decided about."""
    ledger_id: Mapped[UUID | None] = mapped_column(Uuid)
    revision: Mapped[int] = mapped_column(BigInteger)
    """The last revision that may have changed what the application sees."""
    decided_revision: Mapped[int] = mapped_column(BigInteger)
    """The last revision at which a person changed what is shared: permission, site selection or block.
    A sync redoes the grants whose number moved while it worked."""
    connected_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    connected_revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Cursors of an earlier revision are those of a connection that has ended."""
    expired_event: Mapped[UUID | None] = mapped_column(Uuid)
    """The last event of the feed that is gone: a cursor before it has lost some."""
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SharingVersion(Base):
    """One save of a grant's sharing permission: who, when, before, after; outlives the grant."""

    __tablename__ = "sharing_versions"
    __table_args__ = (PrimaryKeyConstraint("district_id", "application_id", "version"),)

    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"))
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    version: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    caller: Mapped[dict[str, Any]] = mapped_column(JSONB)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    counts: Mapped[dict[str, int]] = mapped_column(JSONB)


class SiteChoice(Base):
    """What one school selected for one application; survives changes of mode."""

    __tablename__ = "site_selections"
    __table_args__ = (
        PrimaryKeyConstraint("district_id", "application_id", "school"),
        ForeignKeyConstraint(
            ["district_id", "application_id"], ["grants.district_id", "grants.application_id"], ondelete="CASCADE"
        ),
    )

    district_id: Mapped[UUID] = mapped_column(Uuid)
    application_id: Mapped[UUID] = mapped_column(Uuid)
    school: Mapped[int] = mapped_column(Integer)
    """The ordinal of the school."""
    selection: Mapped[dict[str, Any]] = mapped_column(JSONB)
    revision: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    caller: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Block(Base):
    """A person whom one application, or none at all, may see whatever the mode says."""

    __tablename__ = "blocks"
    __table_args__ = (
        PrimaryKeyConstraint("district_id", "id"),
        UniqueConstraint("district_id", "person", "application_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("kind in ('students', 'teachers', 'staff')", name="kind_is_person"),
    )

    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"))
    id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(EXACT)
    person: Mapped[int] = mapped_column(Integer)
    """The ordinal of the person, who may have left: a block waits for a return."""
    record_id: Mapped[UUID] = mapped_column(Uuid)
    application_id: Mapped[UUID | None] = mapped_column(ForeignKey("applications.id"))
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    caller: Mapped[dict[str, Any]] = mapped_column(JSONB)
