"""Hypothesis strategies for small districts full of the cases that go wrong.

All values come from small pools, so that records share values and rules match them. An import changes none of them: no
white space at their ends, and the canonical form where there is a list of allowed ones. The letter İ is left out: its
lower case is two characters in Python and one in PostgreSQL.
"""

from collections.abc import Sequence
from itertools import permutations
from typing import Final

from hypothesis import strategies as st

from tests.world import Contact, Person, School, Section, World

Pool = Sequence[str]

# Equal but for case, accent, Unicode form or wildcards; the kinds share these keys.
SIS_IDS: Final[Pool] = (
    "1", "2", "a", "A", "á", "a\u0301", "Á", "12", "1%", "1_", "_", "O'Neil", '"q"', "\\", "01", "a b",
)  # fmt: skip
TEXTS: Final[Pool] = (
    "a", "A", "ab", "á", "Á", "a\u0301", "ß", "SS", "Straße", "%", "_", "a%b", "a_b", "axb", "\\", "a\\b", "O'Neil",
    '"q"', "a, b", "two\nlines", "Σίσυφος", "ΣΊΣΥΦΟΣ", "👩‍🏫", "שלום", "-", "null", "{}",
)  # fmt: skip
EMAILS: Final[Pool] = ("a@b.org", "A@B.org", "a_b@b.org", "axb@b.org", "ann%@b.org", "á@b.org", "Á@b.org")
NUMBERS: Final[Pool] = ("1", "2", "01", "10", "A1", "a1")
YES_NO: Final[Pool] = ("Y", "N")
GRADES: Final[Pool] = ("1", "10", "Kindergarten", "Ungraded", "Other")
SUBJECTS: Final[Pool] = ("math", "science", "arts and music", "other")

NAMES: Final[dict[str, Pool]] = {"last_name": TEXTS, "first_name": TEXTS}
EXTENSIONS: Final[dict[str, Pool]] = {"ext.house": TEXTS, "ext.größe": NUMBERS, "ext.d'été %": TEXTS}
VALUES: Final[dict[str, dict[str, Pool]]] = {
    "schools": {"name": TEXTS, "school_number": NUMBERS, "state_id": NUMBERS},
    "students": NAMES
    | {"student_number": NUMBERS, "state_id": NUMBERS, "grade": GRADES, "graduation_year": ("2030", "2031", "30")}
    | {"email": EMAILS, "gender": ("F", "M", "X"), "home_language": TEXTS}
    | {"ell_status": YES_NO, "frl_status": YES_NO, "iep_status": YES_NO}
    | EXTENSIONS,
    "teachers": NAMES | {"teacher_number": NUMBERS, "email": EMAILS, "title": TEXTS} | EXTENSIONS,
    "staff": NAMES | {"email": EMAILS, "title": TEXTS, "department": TEXTS, "role": TEXTS} | EXTENSIONS,
    "sections": {
        "source_name": TEXTS,
        "section_number": NUMBERS,
        "grade": GRADES,
        "subject": SUBJECTS,
        "period": NUMBERS,
    }
    | {"course_name": TEXTS, "course_number": NUMBERS, "term_name": ("Fall", "fall", "Á")}
    | {"term_start": ("8/20/2025", "1/5/2026"), "term_end": ("12/19/2025", "5/29/2026")}
    | EXTENSIONS,
    "contacts": {"phone": NUMBERS, "phone_type": ("Cell", "Home"), "email": EMAILS},
}


def some_values(kind: str) -> st.SearchStrategy[dict[str, str]]:
    """Up to four of the fields of a kind, each as likely as another; the others stay empty."""
    filled = [(field, pool[n % len(pool)]) for field, pool in VALUES[kind].items() for n in range(len(TEXTS))]
    cell = st.sampled_from([("", ""), *filled])
    return st.tuples(cell, cell, cell, cell).map(lambda cells: {field: value for field, value in cells if field})


VALUES_OF: Final = {kind: some_values(kind) for kind in VALUES}
RELATIONSHIPS: Final = st.sampled_from(("", "Mother", "mother", "Father"))
CONTACT_TYPES: Final = st.sampled_from(("", "Primary"))
CONTACT_NAMES: Final = st.sampled_from(("Mum", "mum", "Dad", "Á"))


def keys(most: int, *, least: int = 0) -> st.SearchStrategy[list[str]]:
    """Distinct sis_ids in any order, seldom few."""
    any_number, many = (
        st.lists(st.sampled_from(SIS_IDS), unique=True, min_size=n, max_size=most) for n in (least, most // 2)
    )
    return st.one_of(any_number, many, many)


SCHOOL_KEYS: Final = keys(4, least=1)
STUDENT_KEYS: Final = keys(8)
TEACHER_KEYS: Final = keys(5)
STAFF_KEYS: Final = keys(3)
SECTION_KEYS: Final = keys(6)
CONTACT_KEYS: Final = keys(2)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A district of one to four schools; people at several, sections without anybody, shared guardians."""
    schools = draw(SCHOOL_KEYS)
    own_schools = in_order(schools, least=1)

    def people(kind: str, drawn: list[str]) -> dict[str, Person]:
        return {sis_id: Person(sis_id, draw(own_schools), draw(VALUES_OF[kind])) for sis_id in drawn}

    students = people("students", draw(STUDENT_KEYS))
    teachers = people("teachers", draw(TEACHER_KEYS))
    some_teachers = in_order(list(teachers), least=0)
    sections = {
        sis_id: Section(sis_id, draw(st.sampled_from(schools)), draw(some_teachers), draw(VALUES_OF["sections"]))
        for sis_id in draw(SECTION_KEYS)
    }
    enrolled = st.integers(0, 2 ** len(students) - 1)  # a bit for each student: a list takes a draw for each
    return World(
        schools={sis_id: School(sis_id, draw(VALUES_OF["schools"])) for sis_id in schools},
        sections=sections,
        students=students,
        teachers=teachers,
        staff=people("staff", draw(STAFF_KEYS)),
        enrollments={
            (section, student)
            for section in sections
            for bits in [draw(enrolled)]
            for n, student in enumerate(students)
            if bits >> n & 1
        },
        contacts=draw(contacts(list(students))),
    )


def in_order(records: Pool, *, least: int) -> st.SearchStrategy[Pool]:
    """Up to three of the records in some order."""
    few = [one for one in permutations(records, 1) for _ in records]
    some = [*few, *permutations(records, 2), *permutations(records[:4], 3)]
    return st.sampled_from([*([()] if not least else []), *some])


@st.composite
def contacts(draw: st.DrawFn, students: Sequence[str]) -> Sequence[Contact]:
    """Guardians with a sis_id, who may have several students, and without, who have one."""
    if not students:
        return ()
    relations = st.dictionaries(
        st.sampled_from(students), st.tuples(RELATIONSHIPS, CONTACT_TYPES), min_size=1, max_size=3
    )
    with_id = [
        Contact(sis_id, draw(relations), {"name": draw(CONTACT_NAMES)} | draw(VALUES_OF["contacts"]))
        for sis_id in draw(CONTACT_KEYS)
    ]
    alone = st.tuples(st.tuples(st.sampled_from(students), CONTACT_NAMES, RELATIONSHIPS), CONTACT_TYPES)
    without_id = [
        Contact("", {student: (relationship, type_)}, {"name": name} | draw(VALUES_OF["contacts"]))
        for (student, name, relationship), type_ in draw(st.lists(alone, unique_by=lambda one: one[0], max_size=3))
    ]
    return (*with_id, *without_id)
