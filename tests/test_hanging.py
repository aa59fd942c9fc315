"""A test that hangs is told of."""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TESTS: Final = """
import asyncio
import time
import pytest
from tests import hanging

async def forever():
    await asyncio.Event().wait()

async def wait():
    hanging.loops.append(asyncio.get_running_loop())
    await forever()

def test_waits():
    asyncio.run(wait())

@pytest.fixture
def waiting():
    yield
    asyncio.run(wait())

def test_fails(waiting):
    raise AssertionError

def test_works():
    sum(iter(int, 1))

def test_ends():
    pass

@pytest.mark.parametrize("turn", range(4))
def test_ends_later(turn):
    time.sleep(1)
"""


def ran(folder: Path, *names: str, after: float) -> subprocess.CompletedProcess[str]:
    """What becomes of a run of some of these tests."""
    file = folder / "test_some.py"
    file.write_text(TESTS)
    options = [
        "-p",
        "tests.hanging",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "--hang-after",
        str(after),
        "--rootdir",
        str(folder),
    ]
    line = [sys.executable, "-m", "pytest", "-q", *options, *(f"{file}::{name}" for name in names)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_what_waits_for_ever_is_told_and_ended(tmp_path: Path) -> None:
    """A run that waits for ever ends, and its last words are which test it was and what that waited for.

    Catches a run that is cut off after hours without a word, and words that are captured with the test's own.
    """
    ended = ran(tmp_path, "test_ends", "test_waits", after=0.5)
    assert ended.returncode == 1
    assert "test_waits takes more than" in ended.stderr
    assert "in forever\n" in ended.stderr
    assert "test_ends takes" not in ended.stderr


def test_what_fails_and_waits_for_ever_is_ended(tmp_path: Path) -> None:
    """A fixture that waits for ever after its test has failed is told and ended as well.

    Catches a watchdog that pytest calls off at a failure.
    """
    ended = ran(tmp_path, "test_fails", after=0.5)
    assert ended.returncode == 1
    assert "in forever\n" in ended.stderr


def test_what_works_for_ever_is_ended(tmp_path: Path) -> None:
    """One that never lets go of the interpreter ends as well, with the line at which it stands.

    Catches a watchdog that waits for its turn.
    """
    ended = ran(tmp_path, "test_works", after=0.5)
    assert ended.returncode == 1
    assert "in test_works\n" in ended.stderr


def test_what_ends_in_time_is_left_alone(tmp_path: Path) -> None:
    """Each test has the time for itself, and nobody is watched who is done.

    Catches a watchdog that counts the time of all tests.
    """
    ended = ran(tmp_path, "test_ends_later", after=3)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "4 passed" in ended.stdout
