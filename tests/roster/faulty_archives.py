"""Faulty zip archives as bytes, each with exactly what the service answers to it."""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping

from tests.roster.faulty_uploads import ARCHIVE_NAME, FAULTY_FILES, GOOD, FaultyUpload

MEBIBYTE = 1 << 20
CENTRAL = b"PK\x01\x02"


def packed(files: Mapping[str, bytes] = GOOD, *, prefix: str = "", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(prefix + name, data)
    return out.getvalue()


def with_entry(
    name: str, data: bytes = b"Zebedee", *, mode: int = 0o100644, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """The good files and one entry more, or again."""
    out = io.BytesIO(packed())
    info = zipfile.ZipInfo("x")
    info.filename, info.external_attr, info.compress_type = name, mode << 16, method
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(info, data)
    return out.getvalue()


def patched(data: bytes, *, entry: int, offset: int, form: str, value: int) -> bytes:
    """The archive with one number of an entry in its table of contents replaced."""
    place = -1
    for _ in range(entry + 1):
        place = data.index(CENTRAL, place + 1)
    changed = bytearray(data)
    struct.pack_into(form, changed, place + offset, value)
    return bytes(changed)


def as_large_as_declared(size: int) -> bytes:
    """The good files, each said to unpack to `size` bytes."""
    data = packed()
    for entry in range(len(GOOD)):
        data = patched(data, entry=entry, offset=24, form="<L", value=size)
    return data


def long_contents() -> bytes:
    """Few entries, whose comments fill more than a mebibyte of the table of contents."""
    out = io.BytesIO(packed())
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(20):
            info = zipfile.ZipInfo(f"{number}.txt")
            info.comment = b"Zebedee" * 9_000
            archive.writestr(info, b"")
    return out.getvalue()


def shifted() -> bytes:
    """An archive whose table of contents says that it lies further on, so that entries begin before the first byte."""
    data = bytearray(packed({"schools.csv": GOOD["schools.csv"]}))
    end = data.rindex(b"PK\x05\x06") + 16
    struct.pack_into("<L", data, end, struct.unpack_from("<L", data, end)[0] + 50)
    return bytes(data)


def damaged() -> bytes:
    """An archive in which one byte of a stored file has changed."""
    return packed(method=zipfile.ZIP_STORED).replace(b"Ames", b"Amen")


def refused(name: str, code: str, build: Callable[[], bytes], *, file: str = ARCHIVE_NAME) -> FaultyUpload:
    """An archive that fails the sync with one problem."""
    return FaultyUpload(name=name, archive=build, problems=(("error", file, None, None, code),), outcome="failed")


LINK, FIFO = 0o120777, 0o010644
FAULTY_ARCHIVES = (
    refused("no archive at all", "bad_archive", lambda: b"Zebedee"),
    refused("archive cut short", "bad_archive", lambda: packed()[:-30]),
    refused("table of contents overwritten", "bad_archive", lambda: packed().replace(CENTRAL, b"PK\x01\x09")),
    refused("table of contents too long", "too_many_entries", long_contents),
    refused("too many entries", "too_many_entries", lambda: packed({**GOOD, **{f"{n}.txt": b"" for n in range(95)}})),
    refused("absolute name", "unsafe_name", lambda: with_entry("/schools.csv")),
    refused("name with a drive", "unsafe_name", lambda: with_entry("C:schools.csv")),
    refused("name that climbs", "unsafe_name", lambda: with_entry("a/../../schools.csv")),
    refused("name with backslashes", "unsafe_name", lambda: with_entry("..\\schools.csv")),
    refused("long name", "unsafe_name", lambda: with_entry("x" * 252 + ".csv")),
    refused("name with an empty folder", "unsafe_name", lambda: with_entry("a//schools.csv")),
    refused("archive in the archive", "nested_archive", lambda: with_entry("old.ZIP"), file="old.ZIP"),
    refused("gzip in the archive", "nested_archive", lambda: with_entry("old.csv.gz"), file="old.csv.gz"),
    refused(
        "zip named csv in the archive",
        "nested_archive",
        lambda: packed({**GOOD, "students.csv": packed()}),
        file="students.csv",
    ),
    refused(
        "encrypted entry",
        "encrypted_entry",
        lambda: patched(packed(), entry=1, offset=8, form="<H", value=1),
        file="students.csv",
    ),
    refused("symbolic link", "link_entry", lambda: with_entry("link.csv", mode=LINK), file="link.csv"),
    refused("named pipe", "link_entry", lambda: with_entry("pipe.csv", mode=FIFO), file="pipe.csv"),
    refused("LZMA", "unknown_compression", lambda: packed(method=zipfile.ZIP_LZMA), file="schools.csv"),
    refused("unpacks to more than allowed", "archive_too_large", lambda: as_large_as_declared(4000 * MEBIBYTE)),
    refused("zip bomb", "compression_ratio", lambda: packed({**GOOD, "students.csv": b"\n" * (20 * MEBIBYTE)})),
    refused(
        "zip bomb in a file that nobody reads",
        "compression_ratio",
        lambda: with_entry("notes.txt", b"\n" * (20 * MEBIBYTE)),
    ),
    refused(
        "entries that share bytes",
        "overlapping_entries",
        lambda: patched(packed(), entry=1, offset=42, form="<L", value=0),
    ),
    refused(
        "entry that reaches into the next",
        "overlapping_entries",
        lambda: patched(packed(), entry=0, offset=20, form="<L", value=100),
    ),
    refused("offsets before the beginning", "overlapping_entries", shifted),
    refused(
        "entry beyond the end",
        "overlapping_entries",
        lambda: patched(packed(), entry=1, offset=42, form="<L", value=1 << 30),
    ),
    refused(
        "entry that says it is smaller",
        "damaged_entry",
        lambda: patched(packed(), entry=1, offset=24, form="<L", value=10),
        file="students.csv",
    ),
    refused("damaged content", "damaged_entry", damaged, file="students.csv"),
    refused("two levels of folders", "scattered_files", lambda: packed(prefix="export/district/")),
    refused(
        "files in two folders",
        "scattered_files",
        lambda: packed({("a/" if name < "se" else "b/") + name: data for name, data in GOOD.items()}),
    ),
    refused("a file at the root and again in a folder", "scattered_files", lambda: with_entry("old/schools.csv")),
    FaultyUpload(
        name="empty archive",
        archive=lambda: packed({}),
        problems=tuple(("error", file, None, None, "missing_file") for file in GOOD if file != "staff.csv"),
        outcome="failed",
    ),
    FaultyUpload(
        name="file name in other case in the archive",
        archive=lambda: packed({name.replace("students", "STUDENTS"): data for name, data in GOOD.items()}),
        problems=(
            ("warning", "STUDENTS.csv", None, None, "ignored_file"),
            ("error", "students.csv", None, None, "missing_file"),
        ),
        outcome="failed",
    ),
    FaultyUpload(
        name="other files in the archive",
        archive=lambda: packed(
            {
                "export/": b"",
                **{f"export/{name}": data for name, data in GOOD.items()},
                "export/readme.txt": b"Zebedee",
                "notes/readme.txt": b"",
                "__MACOSX/export/._x": b"",
                "export/.DS_Store": b"",
            }
        ),
        problems=(
            ("warning", "readme.txt", None, None, "ignored_file"),
            ("warning", "notes/readme.txt", None, None, "ignored_file"),
        ),
        outcome="published",
    ),
)

FAULTY_UPLOADS = (*FAULTY_FILES, *FAULTY_ARCHIVES)
