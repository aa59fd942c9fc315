"""Tables of syncs: each upload on its way to become the roster, its files, and what it leaves for the next one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
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
from sharing_service.roster.models import EXACT, now


class Sync(Base):
    """One upload on its way to become the roster."""

    __tablename__ = "syncs"
    __table_args__ = (
        PrimaryKeyConstraint("district_id", "id"),
        CheckConstraint(
            "status in ('queued', 'running', 'published', 'checked', 'held', 'failed', 'discarded')",
            name="status_known",
        ),
        CheckConstraint("progress between 0 and 1", name="progress_between_0_and_1"),
        Index("uq_syncs_one_held", "district_id", unique=True, postgresql_where=text("status = 'held'")),
        Index("uq_syncs_one_fingerprint", "district_id", unique=True, postgresql_where=text("fingerprint is not null")),
    )

    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"))
    id: Mapped[UUID] = mapped_column(Uuid)
    status: Mapped[str] = mapped_column(EXACT, server_default=text("'queued'"))
    dry_run: Mapped[bool] = mapped_column()
    released: Mapped[bool] = mapped_column(server_default=text("false"))
    """A person has looked at the held sync and let it pass."""
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    progress: Mapped[float] = mapped_column(server_default=text("0"))
    revision: Mapped[int | None] = mapped_column(BigInteger)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    problem_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    caller: Mapped[dict[str, Any]] = mapped_column(JSONB)
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of the upload that the published roster equals; null for every other sync."""


class UploadFile(Base):
    """One file as it was sent: a zip archive or one CSV file."""

    __tablename__ = "upload_files"
    __table_args__ = (PrimaryKeyConstraint("district_id", "sync_id", "position"),)

    district_id: Mapped[UUID] = mapped_column(Uuid)
    sync_id: Mapped[UUID] = mapped_column(Uuid)
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str] = mapped_column(Text)
    is_archive: Mapped[bool] = mapped_column()
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of its bytes."""


class UploadChunk(Base):
    """A piece of an uploaded file, where every worker sees it; gone soon after the sync is final."""

    __tablename__ = "upload_chunks"
    __table_args__ = (PrimaryKeyConstraint("district_id", "sync_id", "position", "number"),)

    district_id: Mapped[UUID] = mapped_column(Uuid)
    sync_id: Mapped[UUID] = mapped_column(Uuid)
    position: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int] = mapped_column(Integer)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class RowDigests(Base):
    """A piece of what a published upload leaves behind for the comparison with the next one."""

    __tablename__ = "row_digests"
    __table_args__ = (PrimaryKeyConstraint("district_id", "name", "number"),)

    district_id: Mapped[UUID] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(EXACT)
    number: Mapped[int] = mapped_column(Integer)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the upload; of no use unless that is the published one."""
    reading: Mapped[bytes] = mapped_column(LargeBinary)
    """How its rows were read; of no use if the next are read otherwise."""
    data: Mapped[bytes] = mapped_column(LargeBinary)
