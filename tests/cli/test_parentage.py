"""Signals that end a program."""

import signal
import subprocess
import sys
from typing import Final

import pytest

STUBBORN: Final = """
import asyncio
from contextlib import suppress
from sharing_service.cli import parentage

async def work(times):
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            print("ready", flush=True)
            await asyncio.sleep(60)
    await asyncio.sleep(60)

parentage.CANCELLED_EVERY = 0.2
parentage.exit_on_signals()
with suppress(asyncio.CancelledError):
    asyncio.run(work({times}))
"""


@pytest.mark.parametrize("times", [1, 3])
def test_one_signal_ends_a_program_that_overhears_it(times: int) -> None:
    """A task that takes a cancellation for nothing is cancelled again until it has ended.

    Catches a service that goes on for ever after a Ctrl-C at the wrong moment, and is deaf to every further one.
    """
    line = [sys.executable, "-c", STUBBORN.format(times=times)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
            program.send_signal(signal.SIGINT)
            assert program.wait(20) == 0
        finally:
            program.kill()
