"""How much memory a worker takes for files that are as large as they can be: little more than for a small one."""

import asyncio
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from tests.architecture.project import ROOT
from tests.factories.service import District, Json, answered
from tests.roster.faulty_uploads import GOOD
from tests.roster.zips import DEFLATED, Entry, archive, quoted_overlap

MEBIBYTE: Final = 1 << 20
GIBIBYTE: Final = 1 << 30
BOUND: Final = 128 * MEBIBYTE
"""How much more than for a small upload a worker may take for any of these."""


def repeated(piece: bytes, times: int, *, head: bytes = b"", whole: bool = False) -> bytes:
    """An archive whose students are the same piece again and again, packed once: a gibibyte is built in a moment.

    Its checksum is right if it is to be read as a `whole`; what is refused before its end needs none.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    begin = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    crc = zlib.crc32(head)
    for _ in range(times if whole else 0):
        crc = zlib.crc32(piece, crc)
    data, size = begin + again * times + packer.flush(), len(head) + len(piece) * times
    students = Entry(name=b"students.csv", data=data, method=DEFLATED, size=size, crc=crc)
    return archive(students, good={name: good for name, good in GOOD.items() if name != "students.csv"})


def hard_to_pack(size: int) -> bytes:
    """Digits that are packed to half their size."""
    state, digits = 1, bytearray()
    for _ in range(size):
        state = state * 1_103_515_245 + 12_345 & 0x7FFFFFFF
        digits.append(48 + (state >> 16) % 10)
    return bytes(digits)


HEADER: Final = GOOD["students.csv"].partition(b"\n")[0] + b"\n"
# Packed a hundred and fifty times, which a roster might be: beyond two hundred it is refused for that.
ZEROS: Final = hard_to_pack(16_000) + b"0" * (MEBIBYTE - 16_000)


def long_line() -> bytes:
    """A line of one gibibyte."""
    return repeated(ZEROS, 1024, head=HEADER + b"10,s3,")


def open_quote() -> bytes:
    """A cell of one gibibyte in many lines."""
    return repeated(b"0\n" * 20_000 + ZEROS, 1024, head=HEADER + b'10,s3,"')


def blank_lines() -> bytes:
    """More lines than a file may have, of nothing."""
    noise = bytes(10 if digit & 1 else 13 for digit in hard_to_pack(56_000))
    return repeated(noise + b"\n" * (MEBIBYTE - 56_000), 40, head=HEADER)


def many_entries() -> bytes:
    """A table of contents of a million files, all in the same place."""
    entry = Entry(name=b"x", data=b"")
    contents = entry.central(0) * 1_000_000
    local = entry.local()
    place = len(local) + len(contents)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1_000_000, 1_000_000, len(contents), len(local))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, place, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + contents + end64 + locator + end


def many_columns() -> Mapping[str, bytes]:
    """A header of 100,000 columns, and a row of as many cells."""
    return {"students.csv": HEADER[:-1] + b",x" * 100_000 + b"\n" + b"," * 100_000 + b"\n"}


def long_rows() -> bytes:
    """Rows of 390,000 letters in as many cells as they need, of a school that is not there."""
    columns = [b"Middle_name", b"Student_street", b"Student_city", b"Contact_name", *(b"ext.%d" % n for n in range(35))]
    cells = [hard_to_pack(8_000), *[b"x" * 9_900] * (len(columns) - 1)]
    row = b"99,s,A,B,3," + b",".join(cells) + b"\n"
    return repeated(row, 250, head=HEADER[:-1] + b"," + b",".join(columns) + b"\n", whole=True)


@dataclass(frozen=True)
class Large:
    """An upload that is large once it is unpacked, and what the service answers to it."""

    build: Callable[[], bytes | Mapping[str, bytes]]
    code: str
    line: int | None
    status: str = "failed"


LARGE: Final = {
    "small": Large(lambda: archive(), "", None, "checked"),
    "zip bomb": Large(lambda: repeated(b"0" * MEBIBYTE, 1024), "compression_ratio", None),
    "zip bomb whose files overlap": Large(
        lambda: quoted_overlap(90, kernel=bytes(MEBIBYTE)), "overlapping_entries", None
    ),
    "line of a gibibyte": Large(long_line, "record_too_long", 2),
    "header of a gibibyte": Large(lambda: repeated(ZEROS, 1024), "record_too_long", 1),
    "quote of a gibibyte": Large(open_quote, "unclosed_quote", 2),
    "forty million lines": Large(blank_lines, "too_many_lines", 20_000_001),
    "a million entries": Large(many_entries, "too_many_entries", None),
    "100,000 columns": Large(many_columns, "too_many_columns", 1),
    "rows of 390,000 letters": Large(long_rows, "unknown_school", 2, "checked"),
}


@pytest.fixture(scope="module")
def built() -> dict[str, bytes | Mapping[str, bytes]]:
    """All of them, small as they are sent."""
    return {name: large.build() for name, large in LARGE.items()}


async def queue(district: District, sent: bytes | Mapping[str, bytes]) -> str:
    """Send an archive, or files beside the good ones, for a dry run; the id of the sync."""
    body: Json = {"content": sent, "headers": district.admin | {"Content-Type": "application/zip"}}
    if not isinstance(sent, bytes):
        files = [(name, (name, data, "text/csv")) for name, data in {**GOOD, **sent}.items()]
        body = {"files": files, "headers": district.admin}
    response = await district.service.client.post(f"{district.path}/syncs", params={"dry_run": True}, **body)
    return str(answered(response, 202)["id"])


@pytest.mark.asvs("V5.2.1")
async def test_memory_is_bounded(district: District, built: dict[str, bytes | Mapping[str, bytes]]) -> None:
    """A worker that is sent the largest files takes at most 128 MiB more than for six small ones, and answers each.

    Catches a reader that unpacks before it looks, that waits for the end of a line or of a quote, or that gathers rows
    by their number.
    """
    queued = {}
    for name, sent in built.items():
        queued[name] = await queue(district, sent)

    command = [sys.executable, "-m", "tests.roster.importing", district.service.database.url, district.id]
    ran = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
    peaks = dict(zip(LARGE, map(json.loads, ran.stdout.splitlines()), strict=True))
    grown = {name: (peak - peaks["small"]) // MEBIBYTE for name, peak in peaks.items()}
    assert {name: more for name, more in grown.items() if more > BOUND // MEBIBYTE} == {}
    for name, large in LARGE.items():
        sync = await district.sync_report(queued[name])
        found = {(problem["code"], problem["line"]) for problem in sync["problems"]}
        assert sync["status"] == large.status, name
        assert not large.code or (large.code, large.line) in found, name
