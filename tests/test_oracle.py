"""What the modes mean, pinned by hand: the table, rules, companions and exceptions."""

from tests.factories.small_district import IDS, SMALL_DISTRICT, by_rules, rule, shared_of, told
from tests.oracle import share

NOTHING = ("", "", "", "", "")


def test_nothing_is_shared_until_the_district_has_chosen() -> None:
    """Without a mode nothing is shared."""
    assert told(shared_of(None)) == NOTHING


def test_district() -> None:
    """`district` shares everything but staff."""
    everything = ("N S W", "algebra art lab", "ann ben cal dee", "tom una vic")
    assert told(shared_of({"mode": "district"})) == (*everything, "")
    assert told(shared_of({"mode": "district", "include_staff": False})) == (*everything, "")


def test_district_with_staff() -> None:
    """`district` shares staff if asked to."""
    assert told(shared_of({"mode": "district", "include_staff": True}))[4] == "yan zoe"


def test_schools() -> None:
    """`schools` shares the sections there and who has a row there, or is enrolled or teaches there without one."""
    north = ("N", "algebra lab", "ann ben cal", "tom una vic", "")
    assert told(shared_of({"mode": "schools", "school_ids": ["N"]})) == north


def test_schools_leave_other_sections_of_their_people_out() -> None:
    """A student at a shared school does not bring sections of another school."""
    assert told(shared_of({"mode": "schools", "school_ids": ["S"]})) == ("S", "art", "ben cal", "una", "")


def test_schools_without_sections() -> None:
    """A school with people and no sections shares its people."""
    assert told(shared_of({"mode": "schools", "school_ids": ["W"]})) == ("W", "", "dee", "vic", "")


def test_schools_with_staff() -> None:
    """`schools` shares staff with one of the schools among theirs, if asked to."""
    assert told(shared_of({"mode": "schools", "school_ids": ["N"], "include_staff": True}))[4] == "yan"
    assert told(shared_of({"mode": "schools", "school_ids": ["W"], "include_staff": True}))[4] == "zoe"


def test_empty_lists() -> None:
    """An empty list shares nothing."""
    assert told(shared_of({"mode": "schools", "school_ids": [], "include_staff": True})) == NOTHING
    assert told(shared_of({"mode": "sections", "section_ids": []})) == NOTHING
    assert told(shared_of(by_rules())) == NOTHING


def test_ids_of_records_that_left() -> None:
    """An id whose record has left shares nothing."""
    assert told(shared_of({"mode": "schools", "school_ids": ["closed", "W"]}))[0] == "W"
    assert told(shared_of({"mode": "sections", "section_ids": ["gone"]})) == NOTHING


def test_lists_hold_public_ids() -> None:
    """Schools and sections are listed by their public ids, not by sis_id."""
    ids = IDS | {("schools", "W"): "id of W", ("sections", "lab"): "id of lab"}
    schools = {"mode": "schools", "school_ids": ["id of W", "S"]}
    assert told(share(SMALL_DISTRICT, schools, ids=ids))[0] == "S W"
    sections = {"mode": "sections", "section_ids": ["id of lab", "W"]}
    assert told(share(SMALL_DISTRICT, sections, ids=ids))[1] == "lab"


def test_sections() -> None:
    """`sections` shares the sections, their students, their teachers and their schools, and no staff."""
    assert told(shared_of({"mode": "sections", "section_ids": ["art"]})) == ("S", "art", "ben cal", "una", "")


def test_a_section_without_people() -> None:
    """A section with nobody is shared with its school."""
    assert told(shared_of({"mode": "sections", "section_ids": ["lab"]})) == ("N", "lab", "", "", "")


def test_section_rule() -> None:
    """A section rule shares the sections, their people and their schools; home schools elsewhere stay out."""
    assert told(shared_of(by_rules(rule("sections", subject="math")))) == ("N", "algebra", "ann cal", "tom una", "")


def test_student_rule() -> None:
    """A student rule brings the sections and all their teachers, but no other student."""
    expected = ("N S", "algebra art", "cal", "tom una", "")
    assert told(shared_of(by_rules(rule("students", sis_id="cal")))) == expected
    assert told(shared_of(by_rules(rule("students", sis_id="cal") | {"companions": True}))) == expected


def test_student_rule_without_companions() -> None:
    """Told not to, a student rule brings nothing but the home school."""
    assert told(shared_of(by_rules(rule("students", sis_id="ben") | {"companions": False}))) == ("N", "", "ben", "", "")


def test_student_without_sections() -> None:
    """A student who matches and has no section is shared with the home school."""
    assert told(shared_of(by_rules(rule("students", sis_id="dee")))) == ("W", "", "dee", "", "")


def test_home_school_of_companions() -> None:
    """Home schools come along for whom a person rule matched, not for companions."""
    assert told(shared_of(by_rules(rule("students", sis_id="ann")))) == ("N", "algebra", "ann", "tom una", "")


def test_teacher_rule() -> None:
    """A teacher rule brings nothing but the home school."""
    assert told(shared_of(by_rules(rule("teachers", sis_id="una")))) == ("S", "", "", "una", "")
    assert told(shared_of(by_rules(rule("teachers", sis_id="vic")))) == ("W", "", "", "vic", "")


def test_teacher_rule_with_companions() -> None:
    """Told to, a teacher rule brings the sections taught and their students, but no co-teacher."""
    with_companions = rule("teachers", sis_id="una") | {"companions": True}
    assert told(shared_of(by_rules(with_companions))) == ("N S", "algebra art", "ann ben cal", "una", "")


def test_staff_rule() -> None:
    """A staff rule shares the staff with all their schools."""
    assert told(shared_of(by_rules(rule("staff", role="Nurse")))) == ("N S", "", "", "", "yan")


def test_conditions_of_a_rule() -> None:
    """All conditions of a rule must hold."""
    assert told(shared_of(by_rules(rule("sections", period="2", subject="math"))))[1] == "algebra"


def test_values_of_a_condition() -> None:
    """One value of a condition suffices."""
    assert told(shared_of(by_rules(rule("sections", sis_id="art lab"))))[1] == "art lab"


def test_rules_unite() -> None:
    """What any rule shares is shared."""
    two = by_rules(rule("sections", sis_id="lab"), rule("students", sis_id="dee"))
    assert told(shared_of(two)) == ("N W", "lab", "dee", "", "")


def test_excepted_section() -> None:
    """An excepted section is left out with the people who came only through it."""
    sharing = by_rules(rule("sections", period="2"), exceptions=(rule("sections", subject="math"),))
    assert told(shared_of(sharing)) == ("S", "art", "ben cal", "una", "")


def test_excepted_section_is_no_companion_of_a_student() -> None:
    """Neither an excepted section nor its teachers come along with a student."""
    sharing = by_rules(rule("students", sis_id="cal"), exceptions=(rule("sections", sis_id="algebra"),))
    assert told(shared_of(sharing)) == ("S", "art", "cal", "una", "")


def test_excepted_section_is_no_companion_of_a_teacher() -> None:
    """Neither an excepted section nor its students come along with a teacher."""
    with_companions = rule("teachers", sis_id="una") | {"companions": True}
    sharing = by_rules(with_companions, exceptions=(rule("sections", sis_id="art"),))
    assert told(shared_of(sharing)) == ("N S", "algebra", "ann cal", "una", "")


def test_excepted_section_does_not_hide_its_people_elsewhere() -> None:
    """People of an excepted section are shared where another way leads to them."""
    sharing = by_rules(
        rule("sections", sis_id="art algebra"),
        rule("students", sis_id="ann"),
        exceptions=(rule("sections", sis_id="algebra"),),
    )
    assert told(shared_of(sharing)) == ("N S", "art", "ann ben cal", "una", "")


def test_excepted_person_wherever_they_came_from() -> None:
    """An excepted person is left out of all sections; these and the others stay."""
    sharing = by_rules(rule("sections", period="2"), exceptions=(rule("students", sis_id="cal"),))
    assert told(shared_of(sharing)) == ("N S", "algebra art", "ann ben", "tom una", "")


def test_excepted_person_brings_nothing() -> None:
    """An excepted student or teacher brings no companions and no home school."""
    sharing = by_rules(rule("students", sis_id="cal dee"), exceptions=(rule("students", ell_status="Y"),))
    assert told(shared_of(sharing)) == ("W", "", "dee", "", "")
    with_companions = rule("teachers", sis_id="una") | {"companions": True}
    assert told(shared_of(by_rules(with_companions, exceptions=(rule("teachers", sis_id="una"),)))) == NOTHING


def test_excepted_companion() -> None:
    """An excepted teacher does not come along; the section does."""
    sharing = by_rules(rule("students", sis_id="ann"), exceptions=(rule("teachers", sis_id="tom"),))
    assert told(shared_of(sharing)) == ("N", "algebra", "ann", "una", "")


def test_excepted_staff() -> None:
    """The schools of an excepted staff member do not come along."""
    assert told(shared_of(by_rules(rule("staff", sis_id="yan"), exceptions=(rule("staff", role="Nurse"),)))) == NOTHING


def test_companions_mean_nothing_in_exceptions() -> None:
    """An exception takes out what it matches, never companions."""
    excepted = rule("teachers", sis_id="una") | {"companions": True}
    sharing = by_rules(rule("sections", subject="math"), exceptions=(excepted,))
    assert told(shared_of(sharing)) == ("N", "algebra", "ann cal", "tom", "")
