"""What fields, operators and values of rules mean, pinned by hand."""

import pytest

from tests.factories.small_district import IDS, SMALL_DISTRICT
from tests.oracle_rules import holds, matched


def where(match: str, field: str, operator: str, *values: str, case_sensitive: bool | None = None) -> str:
    """The sis_ids of the small district that one condition matches."""
    condition: dict[str, object] = {"field": field, "operator": operator}
    condition |= {"values": [*values]} if values else {}
    condition |= {"case_sensitive": case_sensitive} if case_sensitive is not None else {}
    found = matched(SMALL_DISTRICT, {"match": match, "where": [condition]}, IDS)
    return " ".join(sorted(sis_id for _, sis_id in found))


def test_a_missing_value_is_empty() -> None:
    """A value that is missing counts as the empty string, also under negative operators."""
    assert where("students", "grade", "is_empty") == "cal"
    assert where("students", "grade", "is_not_empty") == "ann ben dee"
    assert where("students", "grade", "is_not", "3") == "ben cal"
    assert where("students", "grade", "does_not_contain", "3") == "ben cal"


def test_a_field_with_no_value_at_all_is_empty() -> None:
    """A section without teachers or students has the empty string as their value."""
    assert where("sections", "teacher_sis_id", "is_empty") == "lab"
    assert where("sections", "teacher_sis_id", "is_not_empty") == "algebra art"
    assert where("sections", "teacher_sis_id", "is_not", "una") == "lab"
    assert where("sections", "student_grade", "is_empty") == "lab"


def test_positive_operators_on_several_values() -> None:
    """`is`, `contains` and `starts_with` hold if they do for any value."""
    assert where("sections", "teacher_sis_id", "is", "una") == "algebra art"
    assert where("sections", "teacher_sis_id", "contains", "o") == "algebra"
    assert where("sections", "teacher_sis_id", "starts_with", "to") == "algebra"
    assert where("students", "school_name", "is", "North") == "ann ben"


def test_negative_operators_on_several_values() -> None:
    """`is_not` and `does_not_contain` hold if no value is or contains it."""
    assert where("sections", "teacher_sis_id", "is_not", "tom") == "art lab"
    assert where("students", "school_name", "does_not_contain", "ort") == "cal dee"


def test_emptiness_of_several_values() -> None:
    """`is_empty` needs all values empty, `is_not_empty` one that is not."""
    assert where("sections", "teacher_email", "is_empty") == "art lab"
    assert where("sections", "teacher_email", "is_not_empty") == "algebra"
    assert where("students", "school_number", "is_empty") == "dee"
    assert where("teachers", "school_number", "is_not_empty") == "tom una vic"


def test_several_values_under_a_negative_operator() -> None:
    """`is_not` with several values holds for what is none of them."""
    assert where("students", "grade", "is_not", "3", "4") == "cal"
    assert where("students", "grade", "is", "3", "4") == "ann ben dee"


def test_schools_of_a_person_are_those_of_the_rows() -> None:
    """A school through a section is no value of a person's school."""
    assert where("students", "school", "is", "N") == "ann ben"
    assert where("teachers", "school", "is", "N") == "tom vic"
    assert where("staff", "school", "is", "N") == "yan"


def test_a_section_has_one_school() -> None:
    """School fields of a section are those of its school."""
    assert where("sections", "school", "is", "N") == "algebra lab"
    assert where("sections", "school_number", "is", "2") == "art"


def test_school_is_the_public_id() -> None:
    """The field `school` holds public ids, not sis_ids."""
    rule = {"match": "sections", "where": [{"field": "school", "operator": "is", "values": ["N", "id of S"]}]}
    ids = {("schools", school): f"id of {school}" for school in "NSW"}
    assert matched(SMALL_DISTRICT, rule, ids) == {("sections", "art")}


def test_student_grade_is_over_all_students() -> None:
    """`student_grade` holds the grades of everybody enrolled."""
    assert where("sections", "student_grade", "is", "3") == "algebra"
    assert where("sections", "student_grade", "is_not", "3") == "art lab"
    assert where("sections", "student_grade", "is_empty") == "lab"


def test_name_and_source_name() -> None:
    """`name` is the name as shown, `source_name` the one of the upload."""
    assert where("sections", "name", "is", "Algebra I - Toms - 2") == "algebra"
    assert where("sections", "name", "starts_with", "Art") == "art"
    assert where("sections", "source_name", "is_not_empty") == "art"


def test_extensions() -> None:
    """`ext.NAME` is a field like others; where nobody has it, it is empty."""
    assert where("students", "ext.house", "is", "Red") == "ben"
    assert where("students", "ext.house", "is_empty") == "ann cal dee"
    assert where("students", "ext.unheard of", "is_empty") == "ann ben cal dee"


def test_case_matters_by_default() -> None:
    """Operators are case-sensitive unless told not to be."""
    assert where("sections", "subject", "is", "Math") == ""
    assert where("sections", "subject", "is", "Math", case_sensitive=True) == ""
    assert where("sections", "subject", "is", "Math", case_sensitive=False) == "algebra"
    assert where("sections", "subject", "is_not", "MATH", case_sensitive=False) == "art lab"


@pytest.mark.parametrize(
    ("value", "operator", "wanted", "exact", "folded"),
    [
        ("Álamo", "is", "álamo", False, True),
        ("Álamo", "contains", "á", False, True),
        ("a\u0301", "is", "á", False, False),
        ("Straße", "is", "STRASSE", False, False),
        ("Straße", "is", "STRAßE", False, True),
        ("ΣΊΣΥΦΟΣ", "is", "Σίσυφοσ", False, True),
        ("ΣΊΣΥΦΟΣ", "is", "Σίσυφος", False, False),
        ("axb", "is", "a_b", False, False),
        ("axb", "contains", "%", False, False),
        ("a%b", "contains", "%", True, True),
        ("a_b", "starts_with", "a_", True, True),
        ("axb", "starts_with", "a_", False, False),
        ("a\\b", "contains", "\\", True, True),
        ("ab", "starts_with", "b", False, False),
        ("Ab", "does_not_contain", "a", True, False),
        ("Ab", "is_not", "ab", True, False),
        ("a", "is", "a ", False, False),
        ("a b", "contains", " ", True, True),
        ("", "contains", "a", False, False),
        ("", "is_not", "a", True, True),
        ("", "is_empty", None, True, True),
        ("a", "is_empty", None, False, False),
        ("a", "is_not_empty", None, True, True),
    ],
)
def test_comparison(value: str, operator: str, wanted: str | None, *, exact: bool, folded: bool) -> None:
    """Characters are compared one by one, in lower case if so wished; none is trimmed, composed or a wildcard."""
    condition = {"field": "title", "operator": operator} | ({} if wanted is None else {"values": [wanted]})
    assert holds(condition, [value]) is exact
    assert holds(condition | {"case_sensitive": False}, [value]) is folded
