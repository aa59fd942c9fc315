"""Tables of the roster: district, revisions, identities and one table per kind, its columns taken from the catalogue.

Rows hold what is active now and are gone when a record leaves; its identity stays, so that a returning `sis_id` gets
its old id and ordinal. A missing value is the empty string, as rules see it. The large tables carry no foreign keys: a
sync makes them whole in one transaction, and a key check per row of 7,000,000 enrollments costs more than the load.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sharing_service.database import Base
from sharing_service.roster.catalogue import EXTENSIBLE, FIELDS, PEOPLE, Kind

EXACT: Final = Text(collation="C")
"""Identifiers and values are compared byte for byte."""


def now() -> Any:
    """Server default of a time stamp: the start of the transaction."""
    return text("now()")


class District(Base):
    """A school district and its latest revision; locking this row orders every change of the district."""

    __tablename__ = "districts"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=now())
    revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    published_revision: Mapped[int | None] = mapped_column(BigInteger)
    """The revision of the roster that serves now; null until the first sync is published."""
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    erasing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Revision(Base):
    """One change that could alter what anybody sees, numbered without gaps per district."""

    __tablename__ = "revisions"
    __table_args__ = (
        PrimaryKeyConstraint("district_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    cause: Mapped[str] = mapped_column(Text)
    caller: Mapped[dict[str, Any]] = mapped_column(JSONB)


class OrdinalCounter(Base):
    """The next ordinal of one numbering of a district, and the time part of the last id given with it."""

    __tablename__ = "ordinal_counters"
    __table_args__ = (PrimaryKeyConstraint("district_id", "numbering"),)

    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"))
    numbering: Mapped[str] = mapped_column(EXACT)
    next_ordinal: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    last_id_time: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Milliseconds since 1970: ids ascend with ordinals even when a clock goes back."""


class Identity(Base):
    """The district's own key of a record, its public id and its ordinal; no personal data, never deleted."""

    __tablename__ = "identities"
    __table_args__ = (
        PrimaryKeyConstraint("district_id", "kind", "key"),
        UniqueConstraint("district_id", "numbering", "ordinal"),
        Index(None, "district_id", "numbering", "id", postgresql_include=["ordinal", "kind"], unique=True),
    )

    district_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(EXACT)
    key: Mapped[str] = mapped_column(EXACT)
    """The `sis_id`; for derived kinds a digest of what identifies the record."""
    numbering: Mapped[str] = mapped_column(EXACT)
    ordinal: Mapped[int] = mapped_column(Integer)
    id: Mapped[UUID] = mapped_column(Uuid)


def _record_columns(kind: Kind) -> Iterator[Column[Any]]:
    yield Column("district_id", Uuid, nullable=False)
    yield Column("ordinal", Integer, nullable=False)
    yield Column("id", Uuid, nullable=False)
    for field in FIELDS[kind]:
        yield Column(field.name, EXACT, nullable=False, server_default=text("''"))
    if kind in EXTENSIBLE:
        yield Column("ext", JSONB, nullable=False, server_default=text("'{}'"))
    if kind is Kind.SECTIONS:
        yield Column("school", Integer, nullable=False)
        yield Column("course", Integer)
        yield Column("term", Integer)
    yield Column("created_at", DateTime(timezone=True), nullable=False, server_default=now())
    yield Column("modified_at", DateTime(timezone=True), nullable=False, server_default=now())


def _record_table(kind: Kind, *indexes: Index) -> Table:
    return Table(
        kind.value,
        Base.metadata,
        *_record_columns(kind),
        PrimaryKeyConstraint("district_id", "ordinal"),  # by id they are found through their identities
        *indexes,
    )


schools: Final = _record_table(Kind.SCHOOLS)
terms: Final = _record_table(Kind.TERMS)
courses: Final = _record_table(Kind.COURSES)
sections: Final = _record_table(
    Kind.SECTIONS,
    Index(None, "district_id", "school", "ordinal"),
    Index(None, "district_id", "course", "ordinal"),
    Index(None, "district_id", "term", "ordinal"),
)
students: Final = _record_table(Kind.STUDENTS)
teachers: Final = _record_table(Kind.TEACHERS)
staff: Final = _record_table(Kind.STAFF)
contacts: Final = _record_table(Kind.CONTACTS)

RECORDS: Final[dict[Kind, Table]] = {
    Kind.SCHOOLS: schools,
    Kind.TERMS: terms,
    Kind.COURSES: courses,
    Kind.SECTIONS: sections,
    Kind.STUDENTS: students,
    Kind.TEACHERS: teachers,
    Kind.STAFF: staff,
    Kind.CONTACTS: contacts,
}
PERSON_KINDS: Final = tuple(kind.value for kind in PEOPLE)

school_people: Final = Table(
    "school_people",
    Base.metadata,
    Column("district_id", Uuid, nullable=False),
    Column("person", Integer, nullable=False),
    Column("school", Integer, nullable=False),
    Column("kind", EXACT, nullable=False),
    Column("position", SmallInteger, comment="0 is the home school; null: only through a section there"),
    PrimaryKeyConstraint("district_id", "person", "school"),
    Index(None, "district_id", "school", "kind", "person", postgresql_include=["position"]),
)
"""Who is at which school: a row for each row of the upload, and one for each further school of a person's sections."""

section_teachers: Final = Table(
    "section_teachers",
    Base.metadata,
    Column("district_id", Uuid, nullable=False),
    Column("section", Integer, nullable=False),
    Column("teacher", Integer, nullable=False),
    Column("position", SmallInteger, nullable=False, comment="0 is the primary teacher"),
    PrimaryKeyConstraint("district_id", "section", "teacher"),
    Index(None, "district_id", "teacher", "section", postgresql_include=["position"]),
)


def _side_of_enrollments(owner: str, others: str) -> Table:
    return Table(
        f"{owner}_{others}",
        Base.metadata,
        Column("district_id", Uuid, nullable=False),
        Column(owner, Integer, nullable=False),
        Column(others, ARRAY(Integer), nullable=False, comment="ascending"),
        PrimaryKeyConstraint("district_id", owner),
    )


section_students: Final = _side_of_enrollments("section", "students")
"""The enrollments: who is in a section in which anybody is."""

student_sections: Final = _side_of_enrollments("student", "sections")
"""The same enrollments from the other side."""

contact_students: Final = Table(
    "contact_students",
    Base.metadata,
    Column("district_id", Uuid, nullable=False),
    Column("contact", Integer, nullable=False),
    Column("student", Integer, nullable=False),
    Column("relationship", EXACT, nullable=False, server_default=text("''")),
    Column("type", EXACT, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("district_id", "contact", "student"),
    Index(None, "district_id", "student", "contact"),
)


LINKS: Final = (school_people, section_teachers, section_students, student_sections, contact_students)
"""Which record belongs to which."""
