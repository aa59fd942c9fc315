"""What an application sees of a shared record, pinned by hand."""

from tests.factories.small_district import IDS, SMALL_DISTRICT, by_rules, rule, shared_of
from tests.oracle import share
from tests.oracle_answers import SeenPerson

WHOLE = {"mode": "district", "include_staff": True}


def test_a_section_lists_shared_students_only() -> None:
    """A section that came along with a student shows no other student."""
    assert shared_of(by_rules(rule("students", sis_id="cal"))).sections["algebra"].students == {"cal"}
    assert shared_of(WHOLE).sections["algebra"].students == {"ann", "cal"}


def test_teachers_of_a_section_in_order() -> None:
    """A section shows its teachers in order, the primary one first."""
    algebra = shared_of(WHOLE).sections["algebra"]
    assert (algebra.teachers, algebra.teacher) == (["tom", "una"], "tom")


def test_a_primary_teacher_who_is_not_shared() -> None:
    """The first shared teacher stands in for a primary teacher who is not."""
    algebra = shared_of(WHOLE, blocks={("teachers", "tom")}).sections["algebra"]
    assert (algebra.teachers, algebra.teacher) == (["una"], "una")


def test_a_section_without_shared_teachers() -> None:
    """Without a shared teacher there is none."""
    assert shared_of(WHOLE, blocks={("teachers", "una")}).sections["art"].teacher is None
    assert shared_of(WHOLE).sections["lab"].teachers == []


def test_own_schools_come_first() -> None:
    """A person's schools are the own ones in order of rows, then those of the sections."""
    shared = shared_of(WHOLE)
    assert shared.students["ben"].schools == ["N", "S"]
    assert shared.students["cal"].schools == ["S", "N"]
    assert shared.teachers["vic"].schools == ["W", "N"]
    assert shared.staff["yan"].schools == ["S", "N"]
    assert shared.students["cal"].school == "S"


def test_schools_of_sections_by_ordinal() -> None:
    """Schools known only through sections stand in the order of ordinals, which is that of ids."""
    world = type(SMALL_DISTRICT)(
        schools=SMALL_DISTRICT.schools,
        sections=SMALL_DISTRICT.sections,
        teachers=SMALL_DISTRICT.teachers,
        students={"dee": SMALL_DISTRICT.students["dee"]},
        enrollments={("algebra", "dee"), ("art", "dee")},
    )
    assert share(world, WHOLE, ids=IDS).students["dee"].schools == ["W", "N", "S"]
    later = IDS | {("schools", "N"): "T"}
    assert share(world, WHOLE, ids=later).students["dee"].schools == ["W", "S", "N"]


def test_schools_that_are_not_shared() -> None:
    """A person's schools are the shared ones; the first of them is the person's school."""
    cal = shared_of({"mode": "schools", "school_ids": ["N"]}).students["cal"]
    assert (cal.schools, cal.school) == (["N"], "N")
    assert SeenPerson([]).school is None


def test_a_school_through_a_section_that_is_not_shared() -> None:
    """A person is at a shared school also through a section there that is not shared."""
    shared = shared_of(by_rules(rule("sections", sis_id="art lab")))
    assert shared.students["cal"].schools == ["S", "N"]


def test_courses_and_terms_come_with_sections() -> None:
    """Courses and terms of shared sections are shared, and no others."""
    shared = shared_of({"mode": "sections", "section_ids": ["algebra"]})
    assert shared.courses == {("101", "Algebra I")}
    assert shared.terms == {("Fall", "", "")}
    assert shared.sections["algebra"].term == ("Fall", "", "")


def test_a_section_without_course_and_term() -> None:
    """A section whose columns of a course or term are all empty has none; a name alone makes a course."""
    shared = shared_of({"mode": "sections", "section_ids": ["art", "lab"]})
    assert (shared.sections["art"].course, shared.sections["art"].term) == (None, None)
    assert shared.courses == {("", "Lab")}
    assert shared.terms == set()


def test_contacts_come_with_students() -> None:
    """Contacts of shared students are shared and name shared students only."""
    assert shared_of(by_rules(rule("students", sis_id="ann"))).contacts == {("mum",): {"ann"}}
    assert shared_of(by_rules(rule("teachers", sis_id="una"))).contacts == {}


def test_a_contact_without_sis_id() -> None:
    """Such a contact is its student, name and relationship."""
    assert shared_of(by_rules(rule("students", sis_id="cal"))).contacts == {("cal", "Dad", "Father"): {"cal"}}


def test_the_name_shown_of_a_section() -> None:
    """Course, primary teacher and period form the name, whoever is shared; without a course it is the source's."""
    shared = shared_of(WHOLE, blocks={("teachers", "tom")})
    assert shared.sections["algebra"].name == "Algebra I - Toms - 2"
    assert shared.sections["art"].name == "Art Club"
    assert shared.sections["lab"].name == "Lab"
