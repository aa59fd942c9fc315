"""Every field of every kind, once: upload column, type, field group, place in documents, rule field or not.

Import, rules, documents, exports and the docs read this page. Sources: the SIS file format and the data API (v3.0 and
v3.1) that Clever publishes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class Kind(StrEnum):
    """The kinds of records; the value is the plural that stands in paths and JSON."""

    SCHOOLS = "schools"
    TERMS = "terms"
    COURSES = "courses"
    SECTIONS = "sections"
    STUDENTS = "students"
    TEACHERS = "teachers"
    STAFF = "staff"
    CONTACTS = "contacts"


Numbering = Literal["schools", "terms", "courses", "sections", "people"]
"""The sequences of ordinals of a district: all people share one, so that all users are one bitmap."""

PEOPLE: Final = (Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF, Kind.CONTACTS)
UPLOADED: Final = (Kind.SCHOOLS, Kind.STUDENTS, Kind.TEACHERS, Kind.SECTIONS, Kind.STAFF)
"""The kinds that have a file of their own; the others are derived."""


def numbering_of(kind: Kind) -> Numbering:
    """The sequence that gives a kind its ordinals."""
    return "people" if kind in PEOPLE else kind.value  # type: ignore[return-value]


class Group(StrEnum):
    """Field groups: what an application asks for and a district may decline."""

    IDENTITY = "identity"
    EMAIL = "email"
    NUMBERS = "numbers"
    DEMOGRAPHICS = "demographics"
    STATUS = "status"
    ADDRESS = "address"
    CONTACTS = "contacts"
    CREDENTIALS = "credentials"
    EXT = "ext"


class ValueType(StrEnum):
    """How a cell is read: each type has one cleaning function in `roster.cells`."""

    TEXT = "text"
    GRADE = "grade"
    SUBJECT = "subject"
    GENDER = "gender"
    RACE = "race"
    YES_NO = "yes_no"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one kind."""

    name: str
    """Column of the table, key of management rows and CSV, and name in rules."""
    column: str
    """Header in the upload; empty when the service forms the value."""
    group: Group = Group.IDENTITY
    type: ValueType = ValueType.TEXT
    path: str = ""
    """Where it stands in the partner document, dotted; empty when it is not part of it."""
    rule: bool = False
    required: bool = False
    """The column must be there, and in a row its cell may not be empty if it is the key (`sis_id`)."""


G, T = Group, ValueType

SCHOOLS: Final = (
    Field("sis_id", "School_id", path="sis_id", required=True),
    Field("name", "School_name", path="name", required=True),
    Field("school_number", "School_number", path="school_number"),
    Field("state_id", "State_id", path="state_id"),
    Field("nces_id", "Nces_id", path="nces_id"),
    Field("low_grade", "Low_grade", type=T.GRADE, path="low_grade"),
    Field("high_grade", "High_grade", type=T.GRADE, path="high_grade"),
    Field("principal", "Principal", path="principal.name"),
    Field("principal_email", "Principal_email", path="principal.email"),
    Field("address", "School_address", path="location.address"),
    Field("city", "School_city", path="location.city"),
    Field("state", "School_state", path="location.state"),
    Field("zip", "School_zip", path="location.zip"),
    Field("phone", "School_phone", path="phone"),
)

STUDENTS: Final = (
    Field("sis_id", "Student_id", path="roles.student.sis_id", rule=True, required=True),
    Field("last_name", "Last_name", path="name.last", required=True),
    Field("first_name", "First_name", path="name.first", required=True),
    Field("middle_name", "Middle_name", path="name.middle"),
    Field("student_number", "Student_number", G.NUMBERS, path="roles.student.student_number", rule=True),
    Field("state_id", "State_id", G.NUMBERS, path="roles.student.state_id", rule=True),
    Field("grade", "Grade", type=T.GRADE, path="roles.student.grade", rule=True),
    Field("graduation_year", "Graduation_year", path="roles.student.graduation_year", rule=True),
    Field("email", "Student_email", G.EMAIL, path="email", rule=True),
    Field("gender", "Gender", G.DEMOGRAPHICS, T.GENDER, "roles.student.gender", rule=True),
    Field("dob", "DOB", G.DEMOGRAPHICS, T.DATE, "roles.student.dob"),
    Field("race", "Race", G.DEMOGRAPHICS, T.RACE, "roles.student.race"),
    Field("hispanic_ethnicity", "Hispanic_Latino", G.DEMOGRAPHICS, T.YES_NO, "roles.student.hispanic_ethnicity"),
    Field("home_language", "Home_language", G.DEMOGRAPHICS, path="roles.student.home_language", rule=True),
    Field("ell_status", "Ell_status", G.STATUS, T.YES_NO, "roles.student.ell_status", rule=True),
    Field("frl_status", "Frl_status", G.STATUS, T.YES_NO, path="roles.student.frl_status", rule=True),
    Field("iep_status", "IEP_status", G.STATUS, T.YES_NO, "roles.student.iep_status", rule=True),
    Field("street", "Student_street", G.ADDRESS, path="roles.student.location.address"),
    Field("city", "Student_city", G.ADDRESS, path="roles.student.location.city"),
    Field("state", "Student_state", G.ADDRESS, path="roles.student.location.state"),
    Field("zip", "Student_zip", G.ADDRESS, path="roles.student.location.zip"),
    Field("username", "Username", G.CREDENTIALS, path="roles.student.credentials.district_username"),
)

TEACHERS: Final = (
    Field("sis_id", "Teacher_id", path="roles.teacher.sis_id", rule=True, required=True),
    Field("last_name", "Last_name", path="name.last", required=True),
    Field("first_name", "First_name", path="name.first", required=True),
    Field("middle_name", "Middle_name", path="name.middle"),
    Field("teacher_number", "Teacher_number", G.NUMBERS, path="roles.teacher.teacher_number", rule=True),
    Field("state_id", "State_teacher_id", G.NUMBERS, path="roles.teacher.state_id"),
    Field("email", "Teacher_email", G.EMAIL, path="email", rule=True),
    Field("title", "Title", path="roles.teacher.title", rule=True),
    Field("username", "Username", G.CREDENTIALS, path="roles.teacher.credentials.district_username"),
)

STAFF: Final = (
    Field("sis_id", "Staff_id", path="roles.staff.staff_id", rule=True, required=True),
    Field("last_name", "Last_name", path="name.last", required=True),
    Field("first_name", "First_name", path="name.first", required=True),
    Field("email", "Staff_email", G.EMAIL, path="email", rule=True, required=True),
    Field("title", "Title", path="roles.staff.title", rule=True),
    Field("department", "Department", path="roles.staff.department", rule=True),
    Field("role", "Role", path="roles.staff.roles", rule=True),
    Field("username", "Username", G.CREDENTIALS, path="roles.staff.credentials.district_username"),
)

SECTIONS: Final = (
    Field("sis_id", "Section_id", path="sis_id", rule=True, required=True),
    Field("name", "", path="name", rule=True),
    Field("source_name", "Name", rule=True),
    Field("section_number", "Section_number", path="section_number", rule=True),
    Field("grade", "Grade", type=T.GRADE, path="grade", rule=True),
    Field("course_name", "Course_name", rule=True),
    Field("course_number", "Course_number", rule=True),
    Field("course_description", "Course_description"),
    Field("period", "Period", path="period", rule=True),
    Field("subject", "Subject", type=T.SUBJECT, path="subject", rule=True),
    Field("term_name", "Term_name", rule=True),
    Field("term_start", "Term_start", type=T.DATE),
    Field("term_end", "Term_end", type=T.DATE),
)

COURSES: Final = (Field("name", "", path="name"), Field("number", "", path="number"))
TERMS: Final = (
    Field("name", "", path="name"),
    Field("start_date", "", path="start_date"),
    Field("end_date", "", path="end_date"),
)
CONTACTS: Final = (
    Field("sis_id", "Contact_sis_id", G.CONTACTS, path="roles.contact.sis_id"),
    Field("name", "Contact_name", G.CONTACTS, path="name"),
    Field("phone", "Contact_phone", G.CONTACTS, path="roles.contact.phone"),
    Field("phone_type", "Contact_phone_type", G.CONTACTS, path="roles.contact.phone_type"),
    Field("email", "Contact_email", G.CONTACTS, path="email"),
)

FIELDS: Final[dict[Kind, tuple[Field, ...]]] = {
    Kind.SCHOOLS: SCHOOLS,
    Kind.TERMS: TERMS,
    Kind.COURSES: COURSES,
    Kind.SECTIONS: SECTIONS,
    Kind.STUDENTS: STUDENTS,
    Kind.TEACHERS: TEACHERS,
    Kind.STAFF: STAFF,
    Kind.CONTACTS: CONTACTS,
}

SECTION_TEACHER_COLUMNS: Final = ("Teacher_id", *(f"Teacher_{n}_id" for n in range(2, 11)))
CONTACT_LINK_COLUMNS: Final = ("Contact_relationship", "Contact_type")
NEVER_STORED: Final = ("Password", "Unweighted_gpa", "Weighted_gpa")
"""Known columns whose cells are never read."""

EXTENSIBLE: Final = UPLOADED
"""Kinds that keep `ext.NAME` columns."""

SCHOOL_RULE_FIELDS: Final = ("school", "school_name", "school_number")
SECTION_RULE_FIELDS: Final = (*SCHOOL_RULE_FIELDS, "teacher_sis_id", "teacher_email", "student_grade")
"""Rule fields that are looked up in other records."""


def rule_fields(kind: Kind) -> frozenset[str]:
    """The names that a rule on this kind may test, besides `ext.NAME`."""
    own = (field.name for field in FIELDS[kind] if field.rule)
    return frozenset((*own, *(SECTION_RULE_FIELDS if kind is Kind.SECTIONS else SCHOOL_RULE_FIELDS)))
