"""The files of an upload, whether sent as they are or in a zip archive: which are there, and a way to open each."""

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from threading import Lock
from typing import BinaryIO, Final

from sharing_service.roster.archive import ArchiveLimits, Open, is_packed, open_archive
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.columns import UploadKind
from sharing_service.roster.problems import Problem, ProblemLog, UploadUnreadable, unreadable

FILES: Final[dict[str, UploadKind]] = {
    "schools.csv": Kind.SCHOOLS,
    "students.csv": Kind.STUDENTS,
    "teachers.csv": Kind.TEACHERS,
    "sections.csv": Kind.SECTIONS,
    "enrollments.csv": "enrollments",
    "staff.csv": Kind.STAFF,
}
"""Every file of an upload and what it holds; file names are case-sensitive."""
REQUIRED_FILES: Final = tuple(name for name in FILES if name != "staff.csv")


def open_upload(files: Sequence[tuple[str, bool, BinaryIO]], limits: ArchiveLimits, log: ProblemLog) -> dict[str, Open]:
    """The openers of the files of an upload by name, from (name, is_archive, stream) of each file sent.

    Files that are not part of the format are noted in the log and left out; `UploadUnreadable` if one is missing, there
    twice or packed. What is opened may be read in several threads.
    """
    found: dict[str, Open] = {}
    ignored: list[str] = []
    for name, is_archive, stream in files:
        if is_archive:
            archive = open_archive(name, stream, limits)
            # Of all archives together: each part of a body may be one.
            limits = replace(limits, unpacked=limits.unpacked - archive.size)
            held = _in_one_folder(name, archive.files)
        else:
            held = {name: partial(_again, stream, Lock())}
        for file, opener in held.items():
            if file not in FILES:
                ignored.append(file)
            elif file in found:
                raise unreadable(file, "duplicate_file", "This file was sent twice; send it once.")
            else:
                found[file] = opener
    for file in ignored:
        log.warn(file, "ignored_file", "This file is not part of the file format and was left out.")
    if missing := [_missing(file, ignored) for file in REQUIRED_FILES if file not in found]:
        raise UploadUnreadable(*missing)
    for file, opener in found.items():
        _refuse_packed(file, opener)
    return {file: found[file] for file in FILES if file in found}


class _Again(io.RawIOBase):
    """A stream from its beginning on, which others may be reading too."""

    def __init__(self, stream: BinaryIO, lock: Lock) -> None:
        self._stream = stream
        self._lock = lock
        self._place = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with self._lock:
            self._stream.seek(self._place)
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def _again(stream: BinaryIO, lock: Lock) -> BinaryIO:
    return io.BufferedReader(_Again(stream, lock))


def _in_one_folder(archive: str, entries: dict[str, Open]) -> dict[str, Open]:
    """The files of an archive by plain name: ours lie at its root or all in one folder there."""
    ours = {path: PurePosixPath(path) for path in entries if not _is_litter(path)}
    folders = {path.parent for path in ours.values() if path.name in FILES}
    if len(folders) > 1 or any(len(folder.parts) > 1 for folder in folders):
        raise unreadable(
            archive, "scattered_files", "Put all files at the root of the archive or into one folder there."
        )
    return {path.name if path.parent in folders else whole: entries[whole] for whole, path in ours.items()}


def _is_litter(path: str) -> bool:
    """Whether an operating system put this file there, as .DS_Store or below __MACOSX."""
    parts = path.split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith(".")


def _missing(file: str, ignored: Sequence[str]) -> Problem:
    message = "Send this file; it may hold only the line of column names."
    if any(PurePosixPath(other).name.lower() == file for other in ignored):
        message = "Send this file under exactly this name; file names are case-sensitive."
    return Problem("error", file, None, None, "missing_file", message)


def _refuse_packed(file: str, opener: Open) -> None:
    if is_packed(opener().read(8)):
        raise unreadable(
            file, "nested_archive", "This is an archive under the name of a CSV file; send the CSV itself."
        )
