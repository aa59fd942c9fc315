"""Tells where a test hangs: what each task waits for and where the threads are, then the process ends.

A run of tests that goes on for ever tells nobody which one it is. pytest-xdist reports the test whose process ended as
failed, and goes on with the others.
"""

import asyncio
import faulthandler
import os
import threading
from collections.abc import Callable, Generator
from typing import Any, Final

import pytest

TOLD_WITHIN: Final = 5
"""Seconds after which a process ends that does not come to tell anything."""

loops: Final[list[asyncio.AbstractEventLoop]] = []
"""Those of whose tasks is told."""
_output = pytest.StashKey[int]()
_timer = pytest.StashKey[threading.Timer]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run say how long its longest test may take: `--hang-after 36000`."""
    text = "seconds after which a test hangs, by default more than twice as long as the longest one takes"
    parser.addoption("--hang-after", type=float, default=1200, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Remember where to tell it: while a test runs its output is captured, and lost with the process."""
    config.stash[_output] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let no test go on for ever."""
    seconds, output = item.config.getoption("--hang-after"), item.config.stash[_output]
    timer = item.config.stash[_timer] = threading.Timer(seconds, _tell, [item.nodeid, seconds, output])
    timer.daemon = True
    timer.start()
    # For code that never lets go of the interpreter.
    faulthandler.dump_traceback_later(seconds + TOLD_WITHIN, exit=True, file=output)
    try:
        return (yield)
    finally:
        _watch_no_more(timer)


def pytest_enter_pdb(config: pytest.Config) -> None:
    """Let whoever debugs take the time that it takes."""
    if (timer := config.stash.get(_timer, None)) is not None:
        _watch_no_more(timer)


def _watch_no_more(timer: threading.Timer) -> None:
    timer.cancel()
    faulthandler.cancel_dump_traceback_later()


def _tell(name: str, seconds: float, output: int) -> None:
    def say(line: str) -> None:
        os.write(output, f"{line}\n".encode())

    try:
        say(f"\n{name} takes more than {seconds:.0f} seconds.")
        for task in [task for loop in loops for task in asyncio.all_tasks(loop)]:
            say(f"Task {task.get_name()}:")
            _follow(task.get_coro(), say)
    finally:
        faulthandler.dump_traceback(output)
        os._exit(1)


def _follow(waiting: Any, say: Callable[[str], None]) -> None:
    """Say where a coroutine stands, and all that it waits for."""
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)
        if frame is None:
            say(f"  {waiting!r}")
            return
        say(f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_name}')
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
