"""Tables of tokens, idempotency keys and paces: not every token has a district, and the others have none."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sharing_service.database import Base


class Token(Base):
    """A token as it is kept: a keyed hash and what it allows; the secret itself is nowhere."""

    __tablename__ = "tokens"
    __table_args__ = (
        CheckConstraint(
            "role in ('operator', 'district_admin', 'school_lead', 'audit_reader', 'application')", name="role_known"
        ),
        CheckConstraint("(role = 'operator') = (district_id is null)", name="district_unless_operator"),
        CheckConstraint(
            "(role = 'application') = (application_id is not null)", name="application_only_if_application"
        ),
        CheckConstraint("(role = 'school_lead') = (school_ids is not null)", name="schools_only_if_school_lead"),
        CheckConstraint("secret_id is null or role = 'application'", name="secret_only_if_application"),
        CheckConstraint("day is null or secret_id is not null", name="day_only_if_by_secret"),
        Index(None, "district_id", "application_id"),
        Index(None, "secret_id", postgresql_where=text("secret_id is not null")),
        Index(None, "expires_at", postgresql_where=text("secret_id is not null")),
        Index(None, "predecessor_id", postgresql_where=text("predecessor_id is not null")),
        Index(
            None,
            *("secret_id", "day", "district_id"),
            unique=True,
            postgresql_where=text("day is not null and revoked_at is null"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    key_id: Mapped[str] = mapped_column(Text)
    """Which key made the digest, so that keys can be rotated."""
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    role: Mapped[str] = mapped_column(Text)
    district_id: Mapped[UUID | None] = mapped_column(Uuid)
    application_id: Mapped[UUID | None] = mapped_column(Uuid)
    school_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    label: Mapped[str] = mapped_column(Text, server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    created_by: Mapped[dict[str, Any]] = mapped_column(JSONB)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    secret_id: Mapped[UUID | None] = mapped_column(Uuid)
    """The client secret by which an application obtained this token itself; null if somebody issued it."""
    day: Mapped[date | None] = mapped_column(Date)
    """The day (UTC) of a token whose text is computed anew whenever the application lists its tokens."""
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Written about every minute, and never back."""
    predecessor_id: Mapped[UUID | None] = mapped_column(Uuid)
    """The token in whose place this one was issued."""


class IdempotencyKey(Base):
    """The answer to a write that a caller may repeat; an answer that showed a secret is not kept."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (PrimaryKeyConstraint("caller", "key"), Index(None, "created_at"))

    caller: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    """Digest of method, path and body: the same key with another request is refused."""
    status: Mapped[int | None] = mapped_column(SmallInteger)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))


class PaceWindow(Base):
    """How many requests were taken for one token, district or client in its newest window; a crash may empty it."""

    __tablename__ = "paces"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    """What is counted, and its id: `token UUID`, `district UUID`, `client UUID`, `reporter anybody`."""
    begins: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used: Mapped[int] = mapped_column(BigInteger)
    """Requests that processes have taken, and those that were asked for beyond the quota."""
