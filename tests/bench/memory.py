"""The memory of the processes of a service, as the kernel counts it."""

import multiprocessing
from itertools import chain
from pathlib import Path
from typing import Final

WORKER_LIMIT: Final = 1_000_000_000
API_LIMIT: Final = 400_000_000


def worker() -> int:
    """The process id of the worker of the one service that runs."""
    lists = (path.read_text().split() for path in Path("/proc/self/task").glob("*/children"))
    (found,) = (pid for pid in chain.from_iterable(lists) if b"worker" in _command(pid))
    return int(found)


def api() -> int:
    """The process id of the API of the one service that runs."""
    (process,) = multiprocessing.active_children()
    assert process.pid
    return process.pid


def peak(pid: int) -> int:
    """The most bytes that a process has had in memory since it began or `forget_peak` was called."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def forget_peak(pid: int) -> None:
    """Let `peak` begin with what a process has in memory now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _command(pid: str) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
