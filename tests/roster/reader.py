"""Reads whole uploads for tests as a sync does, without a database."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, cast

from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.columns import columns_of
from sharing_service.roster.problems import ProblemLog, UploadUnreadable
from sharing_service.roster.reading import read_rows
from sharing_service.roster.upload import FILES, open_upload

Rows = dict[str, list[dict[str, int | str]]]


def read_upload(sent: Mapping[str, bytes], log: ProblemLog, limits: ArchiveLimits | None = None) -> Rows | None:
    """The rows of each file by column name, or None if the upload cannot be read."""
    with ExitStack() as copies:
        # Real files, as in a sync: they answer a seek before their beginning differently than bytes in memory.
        files = [(name, name.endswith(".zip"), copies.enter_context(_copy_of(data))) for name, data in sent.items()]
        try:
            opened = open_upload(files, limits or ArchiveLimits(), log)
            return {file: _rows_of(file, opener(), log) for file, opener in opened.items()}
        except UploadUnreadable as error:
            log.fail(error.problems)
            return None


@contextmanager
def _copy_of(data: bytes) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        copy.write(data)
        copy.seek(0)
        yield cast(BinaryIO, copy)


def _rows_of(file: str, stream: BinaryIO, log: ProblemLog) -> list[dict[str, int | str]]:
    kind = FILES[file]
    return [dict(zip(columns_of(kind), row, strict=True)) for row in read_rows(kind, file, stream, log)]
