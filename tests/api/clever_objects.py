"""Every member of every object of the partner API, beside what Clever publishes about its data API 3.0 and 3.1.

A line names a member, its type here, in version 3.0 and in version 3.1: `?` allows null, `-` says that it is not there,
brackets are a list. Members of inner objects follow dotted, those of objects in a list too.
"""

from typing import Final, NamedTuple

PERSON: Final = """
id                      string   string   string
district                string   string   string
email                   string?  string?  string?
created                 string   string   string
last_modified           string   string   string
name                    object   object   object
name.first              string   string?  string?
name.middle             string   string?  string?
name.last               string   string?  string?
roles                   object   object   object
"""
OBJECTS: Final[dict[str, str]] = {
    "event": """
id                      string   string   string
type                    string   string   string
created                 string   string   string
data                    object   object   object
data.object             object   object   object
previous_attributes     -        object   object
""",
    "district": """
id                              string   string   string
name                            string   string   string
nces_id                         string?  string?  string?
state                           string   string?  string?
last_sync                       string?  string?  string?
launch_date                     string   string   string
sis_type                        string   string   string
login_methods                   [string] [string] [string]
district_contact                object   string   object
district_contact.id             -        -        string
district_contact.district       string   -        string
district_contact.email          string?  -        string?
district_contact.title          string   -        string
district_contact.name           object   -        object
district_contact.name.first     string   -        string?
district_contact.name.middle    string   -        string?
district_contact.name.last      string   -        string?
error                           -        string   string
mdr_number                      -        string?  string?
pause_start                     -        string?  string?
pause_end                       -        string?  string?
portal_url                      -        string   string
lms_state                       -        -        string?
lms_type                        -        -        string?
""",
    "school": """
id                      string   string   string
district                string   string   string
name                    string   string   string
sis_id                  string   string   string
school_number           string   string   string
state_id                string?  string?  string?
nces_id                 string?  string?  string?
mdr_number              -        string?  string?
low_grade               string?  string?  string?
high_grade              string?  string?  string?
phone                   string?  string?  string?
location                object   object?  object?
location.address        string   string?  string?
location.city           string   string?  string?
location.state          string   string?  string?
location.zip            string   string?  string?
location.lat            -        string?  string?
location.lon            -        string?  string?
principal               object   object   object
principal.name          string   string?  string?
principal.email         string   string?  string?
created                 string   string   string
last_modified           string   string   string
ext                     object   object   object
""",
    "course": """
id                      string   string   string
district                string   string   string
name                    string?  string?  string?
number                  string?  string?  string?
""",
    "term": """
id                      string   string   string
district                string   string   string
name                    string?  string?  string?
start_date              string?  string?  string?
end_date                string?  string?  string?
""",
    "section": """
id                      string   string   string
district                string   string   string
school                  string   string   string
course                  string?  string?  string?
term_id                 string?  string?  string?
name                    string   string   string
sis_id                  string   string   string
section_number          string?  string?  string?
period                  string?  string?  string?
subject                 string?  string?  string?
grade                   string?  string?  string?
students                [string] [string] [string]
teacher                 string?  string?  string?
teachers                [string] [string] [string]
created                 string   string   string
last_modified           string   string   string
ext                     object   object   object
""",
    "student": PERSON
    + """
roles.student                                object   object?  object?
roles.student.school                         string?  string   string
roles.student.schools                        [string] [string] [string]
roles.student.sis_id                         string   string   string
roles.student.state_id                       string?  string?  string?
roles.student.student_number                 string?  string?  string?
roles.student.grade                          string?  string?  string?
roles.student.gender                         string?  string?  string?
roles.student.dob                            string?  string?  string?
roles.student.graduation_year                string?  string?  string?
roles.student.race                           string?  string?  string?
roles.student.hispanic_ethnicity             string?  string?  string?
roles.student.ell_status                     string?  string?  string?
roles.student.frl_status                     string?  -        string?
roles.student.iep_status                     string?  -        string?
roles.student.home_language                  string?  -        string?
roles.student.location                       object   object?  object?
roles.student.location.address               string   string?  string?
roles.student.location.city                  string   string?  string?
roles.student.location.state                 string   string?  string?
roles.student.location.zip                   string   string?  string?
roles.student.location.lat                   -        string?  string?
roles.student.location.lon                   -        string?  string?
roles.student.credentials                    object   object   object
roles.student.credentials.district_username  string   string   string
roles.student.enrollments                    [object] [object] [object]
roles.student.enrollments.school             string   string   string
roles.student.enrollments.start_date         string?  string   string
roles.student.enrollments.end_date           string?  string   string
roles.student.ext                            object   object   object
roles.student.created                        -        string   string
roles.student.last_modified                  -        string   string
roles.student.legacy_id                      -        string   string
roles.student.disability                     -        -        object
roles.student.gifted_status                  -        -        string?
roles.student.home_language_code             -        -        string?
roles.student.preferred_name                 -        -        object
roles.student.section_504_status             -        -        string?
""",
    "teacher": PERSON
    + """
roles.teacher                                object   object?  object?
roles.teacher.school                         string?  string   string
roles.teacher.schools                        [string] [string] [string]
roles.teacher.sis_id                         string   string   string
roles.teacher.state_id                       string?  string?  string?
roles.teacher.teacher_number                 string?  string?  string?
roles.teacher.title                          string?  string?  string?
roles.teacher.credentials                    object   object?  object?
roles.teacher.credentials.district_username  string   string   string
roles.teacher.ext                            object   object   object
roles.teacher.created                        -        string   string
roles.teacher.district                       -        string   string
roles.teacher.last_modified                  -        string   string
roles.teacher.legacy_id                      -        string   string
roles.teacher.name                           -        object   object
""",
    "staff": PERSON
    + """
roles.staff                                  object   object?  object?
roles.staff.schools                          [string] [string] [string]
roles.staff.staff_id                         string   string   string
roles.staff.title                            string?  string?  string?
roles.staff.department                       string?  string?  string?
roles.staff.roles                            [string] [string] [string]
roles.staff.credentials                      object   object   object
roles.staff.credentials.district_username    string   string   string
roles.staff.ext                              object   object   object
roles.staff.legacy_id                        -        string   string
""",
    "contact": PERSON
    + """
roles.contact                                     object   object?  object?
roles.contact.sis_id                              string?  string?  string?
roles.contact.phone                               string?  string?  string?
roles.contact.phone_type                          string?  string?  string?
roles.contact.student_relationships               [object] [object] [object]
roles.contact.student_relationships.student       string   string   string
roles.contact.student_relationships.relationship  string   string?  string?
roles.contact.student_relationships.type          string   string?  string?
roles.contact.legacy_id                           -        string   string
""",
}
DIFFERENCES: Final[dict[str, str]] = {
    "district_contact": "both versions answer alike, as 3.1 does; nobody is named in it",
    "district_contact.district": "inside the object that 3.0 does not have",
    "district_contact.email": "inside the object that 3.0 does not have",
    "district_contact.title": "inside the object that 3.0 does not have",
    "district_contact.name": "inside the object that 3.0 does not have",
    "district_contact.name.first": "inside the object that 3.0 does not have",
    "district_contact.name.middle": "inside the object that 3.0 does not have",
    "district_contact.name.last": "inside the object that 3.0 does not have",
    "roles.student.school": "null where none of the student's schools is shared",
    "roles.teacher.school": "null where none of the teacher's schools is shared",
    "roles.student.frl_status": "both versions answer alike, as 3.1 does",
    "roles.student.iep_status": "both versions answer alike, as 3.1 does",
    "roles.student.home_language": "both versions answer alike, as 3.1 does",
    "roles.student.enrollments.start_date": "uploads do not tell when a student came to a school",
    "roles.student.enrollments.end_date": "uploads do not tell when a student leaves a school",
}
"""Where a member here is not what both versions say, and why."""
NOT_HERE: Final[dict[str, str]] = {
    "district_contact.id": "nobody is named there",
    "previous_attributes": "an event tells the record as it is now, so that no old one tells what may not be told",
    "error": "a district that cannot be told answers 503 or 423 in its place",
    "pause_start": "a paused application is answered 423",
    "pause_end": "a paused application is answered 423",
    "mdr_number": "uploads do not have it",
    "portal_url": "there is no portal",
    "lms_state": "no learning management system is connected",
    "lms_type": "no learning management system is connected",
    "location.lat": "uploads do not have it",
    "location.lon": "uploads do not have it",
    "created": "the user has it",
    "last_modified": "the user has it",
    "district": "the user has it",
    "name": "the user has it",
    "legacy_id": "there was no version 2 of this service",
    "disability": "uploads do not have it",
    "gifted_status": "uploads do not have it",
    "home_language_code": "uploads do not have it",
    "preferred_name": "uploads do not have it",
    "section_504_status": "uploads do not have it",
}
"""Members of Clever's objects, by their last names, that are not here, and why."""


class Member(NamedTuple):
    """A member of an object: its types here and in versions 3.0 and 3.1; None where it is not there."""

    path: str
    here: str | None
    v30: str | None
    v31: str | None


def members(name: str) -> list[Member]:
    """The lines of one object."""
    lines = (line.split() for line in OBJECTS[name].splitlines() if line)
    return [Member(path, *(None if type_ == "-" else type_ for type_ in types)) for path, *types in lines]
