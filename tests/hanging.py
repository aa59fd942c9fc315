"""Tells where a test hangs: what each task waits for and where the threads are, then the process ends.

A run of tests that goes on for ever tells nobody which one it is. pytest-xdist reports the test whose process ended as
failed, and goes on with the others.
"""

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

SECONDS: Final = 1200
"""The longest test takes a third of it."""

loops: Final[list[asyncio.AbstractEventLoop]] = []
"""Those of whose tasks is told."""


@contextmanager
def watched(name: str, *, seconds: float = SECONDS) -> Iterator[None]:
    """End the process if the block takes longer than that."""
    timer = threading.Timer(seconds, _end, [name, seconds])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(name: str, seconds: float) -> None:
    output = sys.__stderr__
    assert output is not None
    output.write(f"\n{name} takes more than {seconds:.0f} seconds.\n")
    for task in [task for loop in loops for task in asyncio.all_tasks(loop)]:
        output.write(f"Task {task.get_name()}:\n")
        _tell(task.get_coro(), output)
    output.flush()
    faulthandler.dump_traceback(output)
    os._exit(1)


def _tell(waiting: Any, output: TextIO) -> None:
    """Where a coroutine stands, and all that it waits for."""
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)
        if frame is None:
            output.write(f"  {waiting!r}\n")
            return
        output.write(f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_name}\n')
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
