"""Archives: the forms that are read, and limits that hold whatever the archive says."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing_service.roster.archive import ArchiveLimits, open_archive
from sharing_service.roster.problems import ProblemLog, UploadUnreadable
from sharing_service.roster.upload import open_upload
from tests.roster.faulty_archives import MEBIBYTE, packed, patched, with_entry
from tests.roster.faulty_uploads import ARCHIVE_NAME, GOOD
from tests.roster.reader import read_upload


def refusal(sent: dict[str, bytes], limits: ArchiveLimits) -> str:
    """The code with which an upload is refused."""
    log = ProblemLog()
    assert read_upload(sent, log, limits) is None
    return log.kept[-1].code


@pytest.mark.parametrize(
    "data",
    [
        packed(),
        packed(prefix="district/"),
        packed(prefix="./"),
        packed(method=zipfile.ZIP_STORED),
        b"MZ stub" + packed(),
    ],
    ids=["root", "folder", "dot", "stored", "bytes before it"],
)
@pytest.mark.asvs("V5.3.2")
def test_forms_of_one_archive(data: bytes) -> None:
    """Files are read from the root of an archive or from one folder in it, deflated or stored."""
    log = ProblemLog()

    assert read_upload({ARCHIVE_NAME: data}, log) == read_upload(GOOD, log)
    assert log.kept == []


def test_files_beside_an_archive() -> None:
    """An upload may hold an archive and files beside it."""
    beside = {name: data for name, data in GOOD.items() if name == "staff.csv"}
    rest = {name: data for name, data in GOOD.items() if name not in beside}
    log = ProblemLog()

    assert read_upload({ARCHIVE_NAME: packed(rest), **beside}, log) == read_upload(GOOD, log)


def test_a_file_opens_again() -> None:
    """Each opening of a file begins at its beginning, packed or plain."""
    for sent in (GOOD, {ARCHIVE_NAME: packed()}):
        files = [(name, name.endswith(".zip"), io.BytesIO(data)) for name, data in sent.items()]
        opener = open_upload(files, ArchiveLimits(), ProblemLog())["schools.csv"]

        assert opener().read() == opener().read() == GOOD["schools.csv"]


def test_a_file_is_read_twice_at_once() -> None:
    """Two who read a file in turn both get all of it, packed or plain.

    Catches a place in the file that they share.
    """
    data = b"".join(b"%d\n" % number for number in range(100_000))
    sent = {**GOOD, "students.csv": data}
    for files in (sent, {ARCHIVE_NAME: packed(sent)}):
        streams = [(name, name.endswith(".zip"), io.BytesIO(each)) for name, each in files.items()]
        opener = open_upload(streams, ArchiveLimits(), ProblemLog())["students.csv"]
        first, second = opener(), opener()
        read = [(first.read(1_000), second.read(70_000)) for _ in range(len(data) // 1_000 + 1)]

        assert [b"".join(pieces) for pieces in zip(*read, strict=True)] == [data, data]


def test_file_sent_twice() -> None:
    """A file that is sent plain and in an archive is refused, since nobody can say which one counts."""
    assert refusal({ARCHIVE_NAME: packed(), "staff.csv": GOOD["staff.csv"]}, ArchiveLimits()) == "duplicate_file"


def test_entry_twice() -> None:
    """Catches two entries of one name, of which programs read different ones."""
    data = with_entry("schoolz.csv").replace(b"schoolz.csv", b"schools.csv")

    assert refusal({ARCHIVE_NAME: data}, ArchiveLimits()) == "duplicate_entry"


@pytest.mark.asvs("V5.3.2")
def test_name_with_a_nul() -> None:
    """Catches a name that ends early for one program and goes on for another."""
    data = with_entry("schools.csv#x").replace(b"schools.csv#x", b"schools.csv\0x")

    assert refusal({ARCHIVE_NAME: data}, ArchiveLimits()) == "unsafe_name"


@pytest.mark.asvs("V5.2.3")
def test_limits_as_declared() -> None:
    """Entries and the sum of their sizes are limited before anything is unpacked."""
    size = sum(map(len, GOOD.values()))

    assert refusal({ARCHIVE_NAME: packed()}, ArchiveLimits(entries=len(GOOD) - 1)) == "too_many_entries"
    assert refusal({ARCHIVE_NAME: packed()}, ArchiveLimits(unpacked=size - 1)) == "archive_too_large"
    assert read_upload({ARCHIVE_NAME: packed()}, ProblemLog(), ArchiveLimits(entries=len(GOOD), unpacked=size))


def test_archives_together() -> None:
    """Several archives of one upload may hold together what one may.

    Catches a limit for each part of a body, of which there may be 64.
    """
    rest = {name: data for name, data in GOOD.items() if name != "staff.csv"}
    sent = {ARCHIVE_NAME: packed(rest), "staff.zip": packed({"staff.csv": GOOD["staff.csv"]})}
    size = sum(map(len, GOOD.values()))

    assert refusal(sent, ArchiveLimits(unpacked=size - 1)) == "archive_too_large"
    assert read_upload(sent, ProblemLog(), ArchiveLimits(unpacked=size)) == read_upload(GOOD, ProblemLog())


@pytest.mark.asvs("V5.2.1", "V5.2.3")
def test_bomb_behind_a_small_number() -> None:
    """Catches an entry of 20 MiB that says it has 100 bytes: more than that is never given, and the upload fails."""
    data = patched(packed({"x.csv": b"x" * 20 * MEBIBYTE}), entry=0, offset=24, form="<L", value=100)
    entry = open_archive(ARCHIVE_NAME, io.BytesIO(data), ArchiveLimits()).files["x.csv"]()
    given = bytearray()

    def read_on() -> None:
        while piece := entry.raw.read(10):  # type: ignore[attr-defined]
            given.extend(piece)

    with pytest.raises(UploadUnreadable) as refused:
        read_on()
    assert len(given) <= 100
    assert refused.value.problems[0].code == "damaged_entry"


def test_dense_but_honest() -> None:
    """A roster that packs well is taken: the ratio counts beyond the first mebibyte only, and up to its limit."""
    students = GOOD["students.csv"] + b"".join(b"10,s%d,Ames,Ann,3\n" % n for n in range(3, 60_000))
    log = ProblemLog()

    rows = read_upload({ARCHIVE_NAME: packed({**GOOD, "students.csv": students, "notes.txt": b" " * 900_000})}, log)

    assert rows is not None
    assert len(rows["students.csv"]) == 59_999
    assert [problem.code for problem in log.kept] == ["ignored_file"]


PACKED = packed()


@given(st.dictionaries(st.integers(1, len(PACKED)), st.integers(0, 255), min_size=1, max_size=6))
@pytest.mark.asvs("V5.2.2")
def test_damaged_anywhere(changes: dict[int, int]) -> None:
    """Whichever bytes of an archive change, it is read or refused with a reason; nothing else is raised."""
    data = bytearray(PACKED)
    for place, value in changes.items():
        data[-place] = value
    log = ProblemLog()

    assert read_upload({ARCHIVE_NAME: bytes(data)}, log) is not None or log.kept
