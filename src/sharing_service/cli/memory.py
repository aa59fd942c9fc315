"""What a process does with memory that it does not need any more."""

import ctypes
from typing import Final

LARGE: Final = 1024 * 1024
"""Bytes of a piece that goes back to the system as soon as it is freed."""
ARENAS: Final = 2
"""Places in which small pieces are kept, whatever the number of threads."""

# mallopt(3)
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8


def give_back() -> None:
    """Keep little of what is freed, from now on.

    By default glibc raises its idea of a large piece with each one that is freed, and keeps what is smaller for each
    thread: a worker that had read the files of a million students kept 300 MB. Other C libraries are left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_ARENA_MAX, ARENAS)
