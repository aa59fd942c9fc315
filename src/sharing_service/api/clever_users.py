"""Users of the partner API for the OpenAPI document.

`MISSING` marks members of a field group: without the group they are not there, which is not the same as null.
"""

from pydantic import MISSING, BaseModel, ConfigDict, Field

Nullable = str | None


class Shape(BaseModel):
    """A JSON object that has exactly these members."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(Shape):
    """A person's name; a missing part is an empty string."""

    first: str
    middle: str
    last: str


class Location(Shape):
    """An address; a missing part is an empty string."""

    address: str
    city: str
    state: str
    zip: str


class Credentials(Shape):
    """How a person signs in."""

    district_username: str


class SchoolEnrollment(Shape):
    """A school that a student is at."""

    school: str
    start_date: Nullable
    end_date: Nullable


class Student(Shape):
    """The role of a student."""

    school: Nullable
    schools: list[str]
    sis_id: str
    grade: Nullable
    graduation_year: Nullable
    enrollments: list[SchoolEnrollment]
    state_id: str | MISSING | None = MISSING
    student_number: str | MISSING | None = MISSING
    gender: str | MISSING | None = MISSING
    dob: str | MISSING | None = Field(MISSING, description="m/d/yyyy")
    race: str | MISSING | None = MISSING
    hispanic_ethnicity: str | MISSING | None = MISSING
    home_language: str | MISSING | None = MISSING
    ell_status: str | MISSING | None = MISSING
    frl_status: str | MISSING | None = MISSING
    iep_status: str | MISSING | None = MISSING
    location: Location | MISSING = MISSING
    credentials: Credentials | MISSING = MISSING
    ext: dict[str, str] | MISSING = MISSING


class Teacher(Shape):
    """The role of a teacher."""

    school: Nullable
    schools: list[str]
    sis_id: str
    title: Nullable
    state_id: str | MISSING | None = MISSING
    teacher_number: str | MISSING | None = MISSING
    credentials: Credentials | MISSING = MISSING
    ext: dict[str, str] | MISSING = MISSING


class Staff(Shape):
    """The role of a staff member."""

    schools: list[str]
    staff_id: str
    title: Nullable
    department: Nullable
    roles: list[str]
    credentials: Credentials | MISSING = MISSING
    ext: dict[str, str] | MISSING = MISSING


class StudentRelationship(Shape):
    """What a contact is to a student."""

    student: str
    relationship: str
    type: str


class Contact(Shape):
    """The role of a contact."""

    sis_id: Nullable
    phone: Nullable
    phone_type: Nullable
    student_relationships: list[StudentRelationship]


class Roles(Shape):
    """Each user has one role."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    student: Student | MISSING = MISSING
    teacher: Teacher | MISSING = MISSING
    staff: Staff | MISSING = MISSING
    contact: Contact | MISSING = MISSING


class User(Shape):
    """A person with a role."""

    id: str
    district: str
    email: str | MISSING | None = MISSING
    name: Name
    created: str
    last_modified: str
    roles: Roles
