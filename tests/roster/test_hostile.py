"""Files made to harm are answered exactly, and whatever else somebody makes of a good one is answered too."""

import re
from collections import Counter
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing_service.roster.problems import Problem, ProblemLog
from tests.roster.faulty_archives import FAULTY_UPLOADS
from tests.roster.faulty_uploads import ARCHIVE_NAME, GOOD, FaultyUpload
from tests.roster.hostile_archives import HOSTILE_ARCHIVES
from tests.roster.hostile_texts import HOSTILE_TEXTS
from tests.roster.reader import read_upload
from tests.roster.sentences import SENTENCES, SEVERAL, miscounted
from tests.roster.test_faulty_uploads import SYNC_CODES
from tests.roster.zips import archive

HOSTILE = (*HOSTILE_ARCHIVES, *HOSTILE_TEXTS)
COUNTED = re.compile(re.escape(miscounted(0, 0)).replace("0", "[0-9,]+"))


def sentences(problem: Problem, said: str | None = None) -> set[str]:
    """What a problem may say, or must if that is known."""
    if said is not None:
        return {said}
    if problem.code == "wrong_column_count" and COUNTED.fullmatch(problem.message):
        return {problem.message}
    return SEVERAL.get(problem.code) or {SENTENCES[problem.code]}


@pytest.mark.parametrize("upload", HOSTILE, ids=lambda upload: upload.name)
@pytest.mark.asvs("V5.2.2", "V5.2.3", "V5.3.2")
def test_hostile_upload(upload: FaultyUpload) -> None:
    """Each is answered by its severity, file, line, column, code and sentence, which repeats no cell.

    Catches a reader that takes what it should refuse, and one that breaks where it should answer.
    """
    log = ProblemLog()

    rows = read_upload(upload.sent(), log)

    expected = [found for found in upload.problems if found[-1] not in SYNC_CODES]
    assert sorted(map(repr, (astuple(problem)[:5] for problem in log.kept))) == sorted(map(repr, expected))
    assert [problem.message for problem in log.kept if problem.message not in sentences(problem, upload.said)] == []
    assert ("failed" if rows is None else "published") == upload.outcome
    assert "zebedee" not in repr(log.kept).lower()


@pytest.mark.parametrize("upload", FAULTY_UPLOADS, ids=lambda upload: upload.name)
def test_every_problem_says_what_to_do(upload: FaultyUpload) -> None:
    """Each problem of the other table is told by the sentence of its code."""
    log = ProblemLog()

    read_upload(upload.sent(), log)

    assert [problem.message for problem in log.kept if problem.message not in sentences(problem, upload.said)] == []


def test_the_table() -> None:
    """There are a hundred hostile files, each under a name of its own, and none leaves open what is said."""
    names = Counter(upload.name for upload in (*HOSTILE, *FAULTY_UPLOADS))
    open_ended = {*SEVERAL, "wrong_column_count"}

    assert len(HOSTILE) >= 100
    assert {name: count for name, count in names.items() if count > 1} == {}
    assert [
        upload.name
        for upload in HOSTILE
        if upload.said is None and {found[-1] for found in upload.problems} & open_ended
    ] == []


PIECES = (
    *(b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\x1a", b"\x1f", b"\\", b"\xff", b"\xed\xa0\x80"),
    *(b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xc2\xa0", b"=", b"\x1f\x8b", b"PK\x03\x04", b"x" * 300, b"y" * 140_000),
    *(b"Grade", b"ext.Bus", b"SSN", b"School_id", b"s1", b"10"),
)
EDIT = st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from((b"", *PIECES)))
"""Where, how much goes, and what comes in its place."""


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """What is left of a file after these changes."""
    changed = bytearray(data)
    for place, length, piece in edits:
        start = int(place * len(changed))
        changed[start : start + length] = piece
    return bytes(changed)


CHANGED = st.tuples(st.sampled_from(sorted(GOOD)), st.lists(EDIT, min_size=1, max_size=4))


@given(CHANGED)
def test_any_change_of_a_file(change: tuple[str, list[tuple[float, int, bytes]]]) -> None:
    """Whatever becomes of a file, each problem has a sentence, a line that is there, and a file that was sent."""
    name, edits = change
    data = edited(GOOD[name], edits)
    log = ProblemLog()

    rows = read_upload({**GOOD, name: data}, log)

    lines = len((data + b".").splitlines())
    assert rows is not None or any(problem.severity == "error" for problem in log.kept)
    for problem in log.kept:
        assert problem.file == name
        assert problem.line is None or 1 <= problem.line <= lines
        assert problem.message in sentences(problem)


PACKED = archive()


@given(st.lists(EDIT, min_size=1, max_size=4))
def test_any_change_of_an_archive(edits: list[tuple[float, int, bytes]]) -> None:
    """Whatever becomes of an archive, it is read or refused with a reason."""
    log = ProblemLog()

    assert read_upload({ARCHIVE_NAME: edited(PACKED, edits)}, log) is not None or log.kept
