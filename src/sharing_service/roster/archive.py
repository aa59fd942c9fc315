"""Opens a zip archive of CSV files without trusting anything that it says about itself."""

import io
import stat
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final, TypeVar
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sharing_service.roster.problems import UploadUnreadable, unreadable

T = TypeVar("T")
MEBIBYTE: Final = 1024 * 1024
MAX_PATH: Final = 255
"""Characters of a file's path in an archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What an archive may hold; sizes are bytes."""

    entries: int = 100
    unpacked: int = 8192 * MEBIBYTE
    """Of all entries together."""
    ratio: int = 200
    """Unpacked to packed, tested beyond the first mebibyte; CSV files stay below 30."""


Open = Callable[[], BinaryIO]
"""Opens one file of an upload from its beginning; several may be read at once, in threads too."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an archive holds."""

    files: dict[str, Open]
    """By path."""
    size: int
    """Bytes of all together; more is never given."""


_DIRECTORY_MOST: Final = MEBIBYTE
"""Bytes of a table of contents: a hundred entries need some kilobytes."""
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_ARCHIVE_NAMES: Final = (
    *(".zip", ".gz", ".tgz", ".z", ".tar", ".bz2", ".tbz2", ".xz", ".txz", ".lzma"),
    *(".7z", ".rar", ".zst", ".lz4", ".cab", ".jar"),
)
_ARCHIVE_MAGIC: Final = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
)
_DAMAGE: Final = (
    BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
)
"""What zipfile raises on archives that are broken, on purpose or not."""


def is_packed(head: bytes) -> bool:
    """Whether a file that begins with these bytes is itself an archive."""
    return head.startswith(_ARCHIVE_MAGIC)


def open_archive(name: str, stream: BinaryIO, limits: ArchiveLimits) -> Unpacked:
    """Check a zip archive and give its files; `UploadUnreadable` says why one is refused."""
    try:
        archive = ZipFile(_BoundedReads(name, stream))
    except _DAMAGE as error:
        raise unreadable(
            name, "bad_archive", "This is not a zip archive that can be read; pack the files again."
        ) from error
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise unreadable(name, "too_many_entries", f"Pack at most {limits.entries} files.")
    for entry in entries:
        # Newer zipfile takes the second from a field of its own.
        for path in (entry.orig_filename, entry.filename):
            _check_name(name, entry, path)
        _check_form(entry)
    _check_together(name, entries, limits)
    _check_overlap(name, stream, entries, end=archive.start_dir)
    files = {entry.filename: _opener(archive, entry) for entry in entries if not entry.is_dir()}
    return Unpacked(files, sum(entry.file_size for entry in entries))


class _BoundedReads:
    """Refuses to read more at once than an honest archive needs, because zipfile believes the sizes it is told."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self._name = name
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(_DIRECTORY_MOST + 1 if size < 0 else min(size, _DIRECTORY_MOST + 1))
        if len(data) > _DIRECTORY_MOST:
            raise unreadable(self._name, "too_many_entries", "The archive's table of contents is too long.")
        return data


def _check_name(archive: str, entry: ZipInfo, path: str) -> None:
    parts = path.removesuffix("/").split("/")
    if len(path) > MAX_PATH:
        raise unreadable(archive, "unsafe_name", f"Give the files names of at most {MAX_PATH} characters.")
    if "\\" in path or "\0" in path or parts[0][1:2] == ":" or ".." in parts or "" in parts:
        message = "A file name in the archive points outside of it; pack the files by their plain names."
        raise unreadable(archive, "unsafe_name", message)
    if not path.isprintable():
        # Whoever reads a report would be shown something else: a line of its own, a name written backwards.
        message = "A file name in the archive holds characters that cannot be seen; give the files plain names."
        raise unreadable(archive, "unsafe_name", message)
    if path.lower().endswith(_ARCHIVE_NAMES):
        raise unreadable(entry.filename, "nested_archive", "Pack the CSV files themselves, not archives of them.")


def _check_form(entry: ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise unreadable(entry.filename, "encrypted_entry", "Pack the files without a password.")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise unreadable(entry.filename, "link_entry", "Pack the files themselves, not links to them.")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise unreadable(
            entry.filename, "unknown_compression", "Pack the files with the common method of zip (deflate)."
        )


def _check_together(archive: str, entries: Sequence[ZipInfo], limits: ArchiveLimits) -> None:
    names = Counter(str(PurePosixPath(entry.filename)) for entry in entries)  # ./a is a
    if any(count > 1 for count in names.values()):
        raise unreadable(archive, "duplicate_entry", "The archive holds two files of one name; pack each once.")
    if sum(entry.file_size for entry in entries) > limits.unpacked:
        message = f"Send at most {limits.unpacked:,} bytes of unpacked files."
        raise unreadable(archive, "archive_too_large", message)
    for entry in entries:
        if entry.file_size > MEBIBYTE and entry.file_size > limits.ratio * entry.compress_size:
            message = "This is packed more tightly than any roster; send plain CSV files."
            raise unreadable(archive, "compression_ratio", message)


def _check_overlap(archive: str, stream: BinaryIO, entries: Sequence[ZipInfo], *, end: int) -> None:
    begins = end
    for entry in sorted(entries, key=lambda entry: entry.header_offset, reverse=True):
        if entry.header_offset < 0:
            raise _overlap(archive)
        stream.seek(entry.header_offset)
        header = stream.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size:
            raise _overlap(archive)
        _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        if entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length + entry.compress_size > begins:
            raise _overlap(archive)
        begins = entry.header_offset


def _opener(archive: ZipFile, entry: ZipInfo) -> Open:
    return lambda: io.BufferedReader(_Entry(archive, entry), 64 * 1024)


class _Entry(io.RawIOBase):
    """One file of an archive; its damage is a problem of the upload.

    zipfile counts while it unpacks and stops at the size that the header declared, so the limits that were checked
    against that size hold for what is really given; an entry that goes on is damaged.
    """

    def __init__(self, source: ZipFile, entry: ZipInfo) -> None:
        self._entry = entry
        self._source = self._guarded(lambda: source.open(entry))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._guarded(lambda: self._source.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def _guarded(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except _DAMAGE as error:
            message = "This file is damaged inside the archive; pack it again."
            raise unreadable(self._entry.filename, "damaged_entry", message) from error


def _overlap(file: str) -> UploadUnreadable:
    return unreadable(file, "overlapping_entries", "Files of the archive share their bytes; pack the files again.")
