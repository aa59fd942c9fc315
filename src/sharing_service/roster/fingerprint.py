"""Recognises an upload: the same files, read by the same release within the same limits, give the same roster."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Final

from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.sync_models import UploadFile

READING: Final = 2
"""Raise it with every change of what is read, checked or kept of a file, or equal files stay as they were read before.

A new release reads them anew in any case.
"""


def fingerprint(files: Sequence[UploadFile], limits: ArchiveLimits) -> bytes:
    """The digest of everything that decides what an upload makes of a roster, in 32 bytes."""
    sent = [(file.name, file.is_archive, file.digest.hex()) for file in files]
    return _digest(sent, limits)


def reading(headers: Mapping[str, Sequence[str]], limits: ArchiveLimits) -> bytes:
    """The digest of everything but a row itself that decides how the row is read, in 32 bytes; headers by file."""
    # Digests of rows are not the same from version to version.
    return _digest([version("polars"), headers], limits)


def _digest(sent: object, limits: ArchiveLimits) -> bytes:
    reader = (version("sharing-service"), READING, asdict(limits))
    return hashlib.sha256(json.dumps([reader, sent]).encode()).digest()
