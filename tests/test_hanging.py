"""A test that hangs is told of."""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
HANGS: Final = """
import asyncio
from tests import hanging

async def forever():
    await asyncio.Event().wait()

async def hang():
    hanging.loops.append(asyncio.get_running_loop())
    with hanging.watched("test_for_ever", seconds=0.5):
        await forever()

asyncio.run(hang())
"""
ENDS: Final = """
import time
from tests import hanging

with hanging.watched("test_in_time", seconds=0.5):
    pass
time.sleep(1)
"""


def ran(program: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a program."""
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_what_hangs_is_told_and_ended() -> None:
    """A process that waits for ever ends, and its last words are which test it ran and what that waited for.

    Catches a run of tests that is cut off after hours without a word.
    """
    ended = ran(HANGS)
    assert ended.returncode == 1
    assert "test_for_ever takes more than" in ended.stderr
    assert "in forever\n" in ended.stderr
    assert "in wait\n" in ended.stderr


def test_what_ends_in_time_is_left_alone() -> None:
    """Whoever is done is watched no more."""
    ended = ran(ENDS)
    assert (ended.returncode, ended.stderr) == (0, "")
