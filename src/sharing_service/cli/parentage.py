"""Children that end with their parent, however that ends, and the signals that end the parent."""

import asyncio
import ctypes
import os
import signal
from types import FrameType
from typing import Final

from sharing_service.cluster import PR_SET_PDEATHSIG

CANCELLED_EVERY: Final = 5.0
"""Seconds in which whatever was cancelled has time to end in order."""


def end_with(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when its parent is gone, even by kill -9 (Linux only)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was gone before we asked
        raise SystemExit(1)


def exit_on_signals() -> None:
    """Let Ctrl-C, SIGTERM and a closed terminal unwind the program, so that its children are stopped in order."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wishes to go on
        signal.signal(signal.SIGHUP, lambda number, frame: signal.raise_signal(signal.SIGTERM))


def _exit(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C would cut the stopping short and leave children behind.
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise SystemExit(0) from None
    # An exception raised in the middle of an event loop's work ends up as whatever the code it met makes of it.
    loop.call_soon_threadsafe(_cancel_all, loop)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
    # What a task awaits may end at the same instant, and some code then takes its cancellation for no reason to end.
    loop.call_later(CANCELLED_EVERY, _cancel_all, loop)
