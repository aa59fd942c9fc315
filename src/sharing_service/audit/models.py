"""Table of the audit trail."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, PrimaryKeyConstraint, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sharing_service.database import Base


class AuditEntry(Base):
    """One line of the trail: who did what to which thing, in the transaction that did it."""

    __tablename__ = "audit_entries"
    __table_args__ = (PrimaryKeyConstraint("district_id", "id"),)

    district_id: Mapped[UUID] = mapped_column(Uuid)
    id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    action: Mapped[str] = mapped_column(Text)
    caller: Mapped[dict[str, Any]] = mapped_column(JSONB)
    subject: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """What it was done to: kind and id, and what helps a reader, never a person's name."""
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    revision: Mapped[int | None] = mapped_column(BigInteger)
