"""Zip archives written field by field, as no honest program writes them (PKWARE's APPNOTE, sections 4.3 and 4.4)."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.roster.faulty_uploads import GOOD

STORED, DEFLATED = 0, 8
REGULAR, LINK = 0o100644, 0o120777
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of an archive, and what the archive says of it; what is None is said truly."""

    name: bytes
    data: bytes = b"Zebedee"
    """Its bytes in the archive: those of the file, unless `method` says otherwise."""
    method: int = STORED
    flags: int = 0
    mode: int = REGULAR
    size: int | None = None
    packed: int | None = None
    crc: int | None = None
    extra: bytes = b""
    local_name: bytes | None = None
    """Its name in front of its bytes; `name` stands in the table of contents."""
    offset: int | None = None
    """Where the table of contents says that it lies."""

    def local(self) -> bytes:
        """Header and bytes, as they stand one after the other."""
        name = self.name if self.local_name is None else self.local_name
        head = _LOCAL.pack(
            b"PK\x03\x04", 20, self.flags, self.method, 0, 0x21, *self._numbers(), len(name), len(self.extra)
        )
        return head + name + self.extra + self.data

    def central(self, offset: int) -> bytes:
        """What the table of contents says of it."""
        place = offset if self.offset is None else self.offset
        head = _CENTRAL.pack(
            *(b"PK\x01\x02", 0x0314, 20, self.flags, self.method, 0, 0x21, *self._numbers()),
            *(len(self.name), len(self.extra), 0, 0, 0, self.mode << 16, place),
        )
        return head + self.name + self.extra

    def _numbers(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        packed = len(self.data) if self.packed is None else self.packed
        return crc, packed, len(self.data) if self.size is None else self.size


def archive(*entries: Entry, good: Mapping[str, bytes] = GOOD, comment: bytes = b"", count: int | None = None) -> bytes:
    """An archive of the good files and these entries; `count` is how many it says it has."""
    everything = [*(Entry(name=name.encode(), data=data) for name, data in good.items()), *entries]
    body, contents = bytearray(), bytearray()
    for entry in everything:
        contents += entry.central(len(body))
        body += entry.local()
    count = len(everything) if count is None else count
    end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(contents), len(body), len(comment))
    return bytes(body + contents + end + comment)


def replacing(name: str, **said: object) -> bytes:
    """An archive of the good files of which one is said to be otherwise."""
    others = {other: data for other, data in GOOD.items() if other != name}
    entry = {"name": name.encode(), "data": GOOD[name], **said}
    return archive(Entry(**entry), good=others)  # type: ignore[arg-type]  # fields of an entry by name


def deflated(data: bytes) -> bytes:
    """The bytes of a file packed by deflate, without a frame."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def in_zip64(size: int) -> bytes:
    """The field that holds a size of more than 32 bits."""
    return struct.pack("<HHQ", 1, 8, size)


def quoted_overlap(files: int, *, kernel: bytes) -> bytes:
    """A bomb whose files all end in the same packed bytes, each quoting the header of the next as data of its own."""
    packed = deflated(kernel)
    entries: list[tuple[Entry, bytes]] = []
    following, tail = b"", b""
    for number in reversed(range(files)):
        # A stored block that is not the last one: five bytes, then the quoted header.
        quoted = struct.pack("<BHH", 0, len(following), ~len(following) & 0xFFFF) + following if following else b""
        tail = quoted + tail if tail else packed
        said = Entry(name=b"%03d.txt" % number, data=tail, method=DEFLATED, size=len(kernel), crc=0)
        entries.append((said, tail))
        following = said.local()[: _LOCAL.size + len(said.name)]
    body = following + tail
    contents = bytearray()
    for said, own in entries:
        contents += said.central(len(body) - len(own) - _LOCAL.size - len(said.name))
    end = _END.pack(b"PK\x05\x06", 0, 0, files, files, len(contents), len(body), 0)
    return bytes(body + contents + end)
