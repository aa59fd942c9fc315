"""Cells: accepted spellings in, one form out."""

import pytest

from sharing_service.roster.catalogue import ValueType
from sharing_service.roster.cells import GRADES, MESSAGES, RACES, SUBJECTS, clean

T = ValueType
READ = [
    *((T.GRADE, cell, "Kindergarten") for cell in ("K", "k", "KG", "kg", "0", "00", "kindergarten", " K\t")),
    *((T.GRADE, cell, "PreKindergarten") for cell in ("PK", "pk", "PREKINDERGARTEN")),
    *((T.GRADE, f"{grade:02}", str(grade)) for grade in range(1, 14)),
    *((T.GRADE, grade.upper(), grade) for grade in GRADES),
    *((T.SUBJECT, subject.upper(), subject) for subject in SUBJECTS),
    *((T.GENDER, cell, cell.upper()) for cell in "MFXmfx"),
    *((T.RACE, code, name) for code, name in RACES.items()),
    *((T.RACE, name.upper(), name) for name in RACES.values()),
    *((T.YES_NO, cell, cell.upper()) for cell in "YNyn"),
    (T.DATE, "03/04/2012", "3/4/2012"),
    (T.DATE, "3/4/2012", "3/4/2012"),
    (T.DATE, "2/29/2012", "2/29/2012"),
    (T.DATE, "2012-03-04", "3/4/2012"),
    (T.DATE, "12/31/49", "12/31/2049"),
    (T.DATE, "1/1/50", "1/1/1950"),
    (T.DATE, "1/1/00", "1/1/2000"),
    (T.TEXT, "\u00a0 Muñoz  de la Cruz\u2003\r\n", "Muñoz  de la Cruz"),
    (T.TEXT, "Mun\u0303oz", "Mun\u0303oz"),
    (T.TEXT, "\u200bA@B.org", "\u200bA@B.org"),
]
REPLACED = [
    *((T.GRADE, cell, "Other", "unknown_grade") for cell in ("14", "-1", "9-12", "Senior", "003", "1.0", "٣")),
    *((T.SUBJECT, cell, "other", "unknown_subject") for cell in ("maths", "PE", "english")),
    *((T.GENDER, cell, "", "unknown_gender") for cell in ("Male", "FM", "0")),
    *((T.RACE, cell, "", "unknown_race") for cell in ("C", "white", "AB")),
    *((T.YES_NO, cell, "", "unknown_yes_no") for cell in ("Yes", "true", "1", "YN")),
    *(
        (T.DATE, cell, "", "impossible_date")
        for cell in (
            *("2/29/2013", "13/1/2012", "0/1/2012", "1/0/2012", "2012-13-01", "2012-3-4", "1/1/0000", "1/1/012"),
            *("3-4-2012", "2012/03/04", "3/4", "3/4/2012 0:00", "2012-03-04T00:00:00Z", "٣/4/2012", "soon"),
        )
    ),
]


@pytest.mark.parametrize(("value_type", "cell", "value"), READ)
def test_accepted_spellings(value_type: ValueType, cell: str, value: str) -> None:
    """An accepted spelling becomes the one form that is kept, without a warning."""
    assert clean(value_type, cell) == (value, None)


@pytest.mark.parametrize(("value_type", "cell", "value", "warning"), REPLACED)
def test_replaced_values(value_type: ValueType, cell: str, value: str, warning: str) -> None:
    """A grade or subject outside its list becomes Other or other, another listed value empty, each with a warning."""
    assert clean(value_type, cell) == (value, warning)
    assert warning in MESSAGES


@pytest.mark.parametrize("value_type", list(ValueType))
@pytest.mark.parametrize("cell", ["", " ", "\u00a0\t\u2003"])
def test_empty_stays_empty(value_type: ValueType, cell: str) -> None:
    """An empty cell stays empty and is no reason to warn."""
    assert clean(value_type, cell) == ("", None)
