"""Archives made to harm, built when they are needed, each with exactly what the service answers to it."""

import struct
import zipfile
from collections.abc import Callable

from tests.roster.faulty_archives import MEBIBYTE, packed
from tests.roster.faulty_uploads import ARCHIVE_NAME, GOOD, FaultyUpload
from tests.roster.sentences import ARCHIVE_AS_CSV, LONG_CONTENTS, LONG_NAME, MANY, NOT_AN_ARCHIVE, OUTSIDE, UNSEEN
from tests.roster.zips import DEFLATED, LINK, Entry, archive, deflated, in_zip64, quoted_overlap, replacing

TERABYTE = 1 << 40
ZIP64 = 0xFFFFFFFF
STUDENTS = "students.csv"
ROW = b"10,s1,Zebedee,Ann,3\n"


def refused(
    name: str, code: str, build: Callable[[], bytes], *, file: str = ARCHIVE_NAME, said: str | None = None
) -> FaultyUpload:
    """An archive that fails the sync with one problem."""
    problems = (("error", file, None, None, code),)
    return FaultyUpload(name=name, archive=build, problems=problems, outcome="failed", said=said)


def named(name: str, entry: bytes, said: str, *, flags: int = 0x800) -> FaultyUpload:
    """An archive with a file of this name, in UTF-8 unless the flags say otherwise."""
    return refused(f"name {name}", "unsafe_name", lambda: archive(Entry(name=entry, flags=flags)), said=said)


def kind(name: str, mode: int) -> FaultyUpload:
    """An archive with something that is no file."""
    entry = Entry(name=b"x.csv", data=b"/etc/passwd", mode=mode)
    return refused(name, "link_entry", lambda: archive(entry), file="x.csv")


def method(number: int, name: str) -> FaultyUpload:
    """An archive with a file packed in a way that is not read."""
    return refused(
        f"packed by {name}", "unknown_compression", lambda: replacing(STUDENTS, method=number), file=STUDENTS
    )


def encrypted(name: str, flags: int) -> FaultyUpload:
    """An archive with a file that cannot be looked into."""
    return refused(name, "encrypted_entry", lambda: replacing(STUDENTS, flags=flags), file=STUDENTS)


def inner(name: str, entry: bytes) -> FaultyUpload:
    """An archive with an archive in it, by its name."""
    build: Callable[[], bytes] = lambda: archive(Entry(name=entry))  # noqa: E731 - it closes over one name
    return refused(name, "nested_archive", build, file=entry.decode(), said=NOT_AN_ARCHIVE)


def disguised(name: str, data: bytes) -> FaultyUpload:
    """An archive with an archive in it that is called like a file of ours."""
    return refused(name, "nested_archive", lambda: replacing(STUDENTS, data=data), file=STUDENTS, said=ARCHIVE_AS_CSV)


def damaged(name: str, **said: object) -> FaultyUpload:
    """An archive with a file that is not what the archive says of it."""
    return refused(name, "damaged_entry", lambda: replacing(STUDENTS, **said), file=STUDENTS)


def within_another() -> bytes:
    """An archive with a file that lies within the bytes of another one."""
    own = Entry(name=b"x.csv").local()
    outer = Entry(name=b"y.txt", data=b"x" * 60 + own).local()
    begin = sum(len(Entry(name=name.encode(), data=data).local()) for name, data in GOOD.items())
    inner = Entry(name=b"x.csv", offset=begin + len(outer) - len(own))
    return archive(Entry(name=b"y.txt", data=b"x" * 60 + own), inner)


NAMES = (
    named("that climbs one folder", b"../students.csv", OUTSIDE),
    named("that climbs high", b"../../../../etc/cron.d/students", OUTSIDE),
    named("that climbs from a folder", b"a/../../students.csv", OUTSIDE),
    named("that climbs and comes back", b"a/../students.csv", OUTSIDE),
    named("of the folder above", b"..", OUTSIDE),
    named("of the folder above, with a slash", b"../", OUTSIDE),
    named("from the root", b"/etc/passwd", OUTSIDE),
    named("of a share", b"//host/share/students.csv", OUTSIDE),
    named("of a share with backslashes", b"\\\\host\\share\\students.csv", OUTSIDE),
    named("of a device", b"\\\\.\\C:\\students.csv", OUTSIDE),
    named("on a drive", b"C:/students.csv", OUTSIDE),
    named("on a small drive", b"c:students.csv", OUTSIDE),
    named("with backslashes that climb", b"a\\..\\..\\students.csv", OUTSIDE),
    named("that is empty", b"", OUTSIDE),
    named("of a slash", b"/", OUTSIDE),
    named("with a folder without a name", b"a//students.csv", OUTSIDE),
    named("that ends early", b"students.csv\0.txt", OUTSIDE),
    named("of two lines", b"students.csv\n2026-01-01 ERROR Zebedee", UNSEEN),
    named("that returns", b"a\rb.csv", UNSEEN),
    named("that colours a terminal", b"\x1b[31mstudents.csv\x1b[0m", UNSEEN),
    named("that rings", b"students\x07.csv", UNSEEN),
    named("from right to left", "students\u202evsc.exe".encode(), UNSEEN),
    named("isolated from left to right", "\u2066students.csv".encode(), UNSEEN),
    named("with a mark from right to left", "students\u200f.csv".encode(), UNSEEN),
    named("without width", "stu\u200bdents.csv".encode(), UNSEEN),
    named("with a byte order mark", "\ufeffstudents.csv".encode(), UNSEEN),
    named("with a line separator", "a\u2028b.csv".encode(), UNSEEN),
    named("that nobody has assigned", "a\U000e0fffb.csv".encode(), UNSEEN),
    named("longer than a name", b"x" * 252 + b".csv", LONG_NAME),
    named("longer than a path", b"a/" * 32_000 + b"x", LONG_NAME),
    refused("name that is not UTF-8 and says it is", "bad_archive", lambda: archive(Entry(name=b"\xff", flags=0x800))),
    refused("the same file behind a dot", "duplicate_entry", lambda: archive(Entry(name=b"./students.csv"))),
    refused("the same file behind two dots", "duplicate_entry", lambda: archive(Entry(name=b"././students.csv"))),
    refused("the same file twice", "duplicate_entry", lambda: archive(Entry(name=b"students.csv"))),
    refused("the same folder twice", "duplicate_entry", lambda: archive(Entry(name=b"a/"), Entry(name=b"a/"))),
)

KINDS = (
    kind("link to a file of the system", LINK),
    kind("device of blocks", 0o060666),
    kind("device of characters", 0o020666),
    kind("pipe", 0o010666),
    kind("socket", 0o140777),
    refused(
        "link instead of the students",
        "link_entry",
        lambda: replacing(STUDENTS, data=b"/etc/passwd", mode=LINK),
        file=STUDENTS,
    ),
    encrypted("encrypted as of old", 0x1),
    encrypted("encrypted strongly", 0x41),
    encrypted("encrypted table of contents", 0x2000),
    refused("encrypted with AES", "encrypted_entry", lambda: replacing(STUDENTS, flags=1, method=99), file=STUDENTS),
    *(
        method(number, name)
        for number, name in (
            *((1, "shrinking"), (6, "imploding"), (9, "deflate64"), (12, "bzip2"), (14, "LZMA")),
            *((93, "zstandard"), (95, "xz"), (98, "PPMd"), (99, "nothing known")),
        )
    ),
    inner("archive of archives", b"0.zip"),
    inner("tar of the files", b"roster.tar"),
    inner("packed tar", b"roster.csv.tgz"),
    inner("Java archive", b"roster.JAR"),
    disguised("zip called csv", packed()),
    disguised("empty zip called csv", b"PK\x05\x06" + bytes(18)),
    disguised("gzip called csv", b"\x1f\x8b\x08\0Zebedee"),
    disguised("bzip2 called csv", b"BZh91AY&SYZebedee"),
    disguised("xz called csv", b"\xfd7zXZ\0\0Zebedee"),
    disguised("7z called csv", b"7z\xbc\xaf\x27\x1cZebedee"),
    disguised("rar called csv", b"Rar!\x1a\x07\0Zebedee"),
    disguised("zstandard called csv", b"\x28\xb5\x2f\xfdZebedee"),
)

BOMBS = (
    refused(
        "bomb of newlines",
        "compression_ratio",
        lambda: replacing(STUDENTS, data=deflated(b"\n" * (20 * MEBIBYTE)), method=DEFLATED, size=20 * MEBIBYTE),
    ),
    refused(
        "bomb of good rows",
        "compression_ratio",
        lambda: packed({**GOOD, STUDENTS: GOOD[STUDENTS] + ROW * (2 * MEBIBYTE // len(ROW))}),
    ),
    refused(
        "bomb in a folder",
        "compression_ratio",
        lambda: archive(Entry(name=b"a/", data=deflated(b"\0" * (2 * MEBIBYTE)), method=DEFLATED, size=2 * MEBIBYTE)),
    ),
    refused("bomb whose files overlap", "overlapping_entries", lambda: quoted_overlap(90, kernel=bytes(MEBIBYTE))),
    refused(
        "bomb whose files are one",
        "overlapping_entries",
        lambda: archive(*(Entry(name=b"%d.txt" % number, offset=0) for number in range(90))),
    ),
    refused(
        "file that lies within another",
        "overlapping_entries",
        within_another,
    ),
    refused("file that lies in the table of contents", "overlapping_entries", lambda: replacing(STUDENTS, packed=9000)),
    refused("file beyond the end", "overlapping_entries", lambda: replacing(STUDENTS, offset=1 << 31)),
    refused(
        "terabyte by its own word",
        "archive_too_large",
        lambda: replacing(STUDENTS, size=ZIP64, extra=in_zip64(TERABYTE)),
    ),
    refused(
        "terabyte in a file that nobody reads",
        "archive_too_large",
        lambda: archive(Entry(name=b"x.txt", size=ZIP64, extra=in_zip64(TERABYTE))),
    ),
    refused(
        "most bytes that there are",
        "archive_too_large",
        lambda: replacing(STUDENTS, size=ZIP64, extra=in_zip64((1 << 64) - 1)),
    ),
    refused(
        "a hundred folders",
        "too_many_entries",
        lambda: archive(*(Entry(name=b"%d/" % number, data=b"") for number in range(100))),
        said=MANY,
    ),
    refused(
        "65,535 files",
        "too_many_entries",
        lambda: archive(*(Entry(name=b"%d" % number, data=b"") for number in range(65_529))),
        said=LONG_CONTENTS,
    ),
    refused(
        "seven files that are said to be one",
        "unsafe_name",
        lambda: archive(Entry(name=b"../x"), count=1),
        said=OUTSIDE,
    ),
)

LIES = (
    refused(
        "field of a size that ends early", "bad_archive", lambda: replacing(STUDENTS, size=ZIP64, extra=b"\1\0\x08\0\0")
    ),
    refused(
        "field of a size without the size",
        "bad_archive",
        lambda: replacing(STUDENTS, size=ZIP64, extra=struct.pack("<HH", 1, 0)),
    ),
    refused("no end", "bad_archive", lambda: archive()[:-22]),
    refused("end alone that tells of files", "bad_archive", lambda: archive()[-22:]),
    refused("half", "bad_archive", lambda: archive()[len(archive()) // 2 - 40 : -30]),
    refused("zeros", "bad_archive", lambda: bytes(10_000)),
    refused("nothing", "bad_archive", lambda: b""),
    refused("page of HTML called zip", "bad_archive", lambda: b"<!doctype html><title>Zebedee</title>"),
    damaged("other name in front of the bytes", local_name=b"teachers.csv"),
    damaged("name of another length in front of the bytes", local_name=b"x"),
    damaged("wrong checksum", crc=1),
    damaged("more bytes than said", size=10),
    damaged("not deflate at all", method=DEFLATED, data=b"Zebedee" * 20, size=500),
    damaged("deflate that ends early", method=DEFLATED, data=deflated(GOOD[STUDENTS])[:-4], size=len(GOOD[STUDENTS])),
    damaged(
        "bomb behind a small number",
        method=DEFLATED,
        data=deflated(GOOD[STUDENTS] + ROW * 100_000),
        size=len(GOOD[STUDENTS]),
    ),
    refused(
        "file in front of which another thing stands",
        "damaged_entry",
        lambda: archive().replace(b"PK\x03\x04", b"PK\x03\x05", 2),
        file="schools.csv",
    ),
    FaultyUpload(
        name="comment that is an end of its own",
        archive=lambda: archive(comment=b"PK\x05\x06" + bytes(18)),
        problems=tuple(("error", file, None, None, "missing_file") for file in GOOD if file != "staff.csv"),
        outcome="failed",
        said="Send this file; it may hold only the line of column names.",
    ),
    FaultyUpload(
        name="fewer bytes than said",
        archive=lambda: replacing(STUDENTS, size=10_000),
        problems=(),
        outcome="published",
    ),
    FaultyUpload(
        name="prefix that is a picture",
        archive=lambda: b"\x89PNG\r\n\x1a\n" + packed(method=zipfile.ZIP_STORED),
        problems=(),
        outcome="published",
    ),
)

HOSTILE_ARCHIVES = (*NAMES, *KINDS, *BOMBS, *LIES)
