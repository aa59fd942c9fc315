"""The sheet says what the tests show, and nothing else."""

from pathlib import Path

import pytest

from tests.asvs.sheet import PAGE, Requirement, Verdict, marked, read, sheet

CHAPTERS = {"V8": "Authorization"}
COUNTS = {1: 70, 2: 183}
"""How many requirements ASVS 5.0.0 has of each level."""


def test_the_sheet_is_up_to_date() -> None:
    """docs/asvs.md is what `make asvs` writes; each requirement that applies has a test or says what is not met."""
    assert PAGE.read_text(encoding="utf-8") == sheet(*read(), marked())


def test_no_requirement_is_left_out() -> None:
    """Every requirement of levels 1 and 2 is listed, once, in order and below its chapter."""
    chapters, requirements = read()
    numbers = [[int(part) for part in one.number.removeprefix("V").split(".")] for one in requirements]

    assert {level: sum(one.level == level for one in requirements) for level in COUNTS} == COUNTS
    assert len(requirements) == sum(COUNTS.values())
    assert numbers == sorted(numbers)
    assert [one.number for one in requirements if one.chapter not in chapters] == []


def test_a_requirement_of_which_nothing_is_known() -> None:
    """One that applies and has no test, and one that does not apply and has one, are refused.

    Catches: a requirement that counts as met because nobody looked.
    """
    with pytest.raises(ValueError, match=r"V8\.2\.1 has neither"):
        sheet(CHAPTERS, [Requirement("V8.2.1", 1, "Asks.")], {})
    with pytest.raises(ValueError, match=r"V8\.2\.1 does not apply"):
        sheet(CHAPTERS, [Requirement("V8.2.1", 1, "Asks.", beside="There is none.")], {"V8.2.1": ["test_a.py::test_b"]})


def test_verdicts() -> None:
    """Tests without a lack mean met, with one partly met; a lack alone means not met."""
    tests = ["test_a.py::test_b"]

    assert Requirement("V8.2.1", 1, "Asks.").verdict(tests) is Verdict.MET
    assert Requirement("V8.2.1", 1, "Asks.", unmet="Half of it.").verdict(tests) is Verdict.PARTLY
    assert Requirement("V8.2.1", 1, "Asks.", unmet="All of it.").verdict([]) is Verdict.UNMET
    assert Requirement("V8.2.1", 1, "Asks.", beside="There is none.").verdict([]) is Verdict.BESIDE


def test_an_unknown_number() -> None:
    """A mark of a requirement that there is not is refused, whichever test bears it."""
    with pytest.raises(ValueError, match=r"there is no requirement V8\.9\.9"):
        sheet(CHAPTERS, [Requirement("V8.2.1", 1, "Asks.", unmet="All.")], {"V8.9.9": ["test_a.py::test_b"]})


def test_marks_are_found(tmp_path: Path) -> None:
    """Marks of functions and of methods count, several of one test too; one without a number is refused."""
    page = tmp_path / "test_page.py"
    page.write_text(
        '@pytest.mark.asvs("V8.2.1", "V8.2.2")\nasync def test_a(): ...\n\n'
        'class TestB:\n    @pytest.mark.asvs("V8.2.1")\n    @other\n    def test_b(self): ...\n'
    )
    assert marked(tmp_path) == {
        "V8.2.1": ["test_page.py::test_a", "test_page.py::test_b"],
        "V8.2.2": ["test_page.py::test_a"],
    }
    page.write_text("@pytest.mark.asvs\ndef test_a(): ...\n")
    with pytest.raises(ValueError, match="the mark of test_a names no numbers"):
        marked(tmp_path)
