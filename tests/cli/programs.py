"""Runs `sharing-service` as its users do: as a program, with an environment and a data directory of its own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

import httpx2

READY_SECONDS: Final = 90
OPERATOR: Final = "operator-token-of-the-tests-of-the-command-line"
ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if not name.startswith("SHARING_")}


def command(*arguments: object) -> list[str]:
    """The command line that runs `sharing-service`."""
    return [sys.executable, "-m", "sharing_service.cli", *map(str, arguments)]


def run(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a command printed, and how it ended."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=ENVIRONMENT | environment, capture_output=True, text=True, timeout=120
    )


class Service:
    """A `serve` or a `demo` that runs."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        """Name the process and the file that it prints to: a pipe would stay open as long as any child has it."""
        self.process = process
        self._output = output

    @property
    def printed(self) -> list[str]:
        """Every line that it has printed."""
        return self._output.read_text().splitlines()

    def wait_until_ready(self) -> None:
        """Wait for the line that begins with `ready`."""
        give_up = time.monotonic() + READY_SECONDS
        while not any(line.startswith("ready ") for line in self.printed):
            assert self.process.poll() is None, f"it ended with {self.process.returncode}"
            assert time.monotonic() < give_up
            time.sleep(0.02)

    @property
    def url(self) -> str:
        """The address that it says it answers at."""
        return self.printed[-1].removeprefix("ready ")

    def client(self, token: str = OPERATOR) -> httpx2.Client:
        """A client with a token."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)

    def stop(self, number: int) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def service(*arguments: object, cwd: Path, log: Path | str | None = None, **environment: str) -> Iterator[Service]:
    """A service on a free port, killed at the end of the block if it still runs; its log may go to a file."""
    line = command(*arguments, "--port", 0)
    with (
        tempfile.NamedTemporaryFile() as output,
        open(log, "wb") if log else nullcontext() as errors,
        subprocess.Popen(line, cwd=cwd, env=ENVIRONMENT | environment, stdout=output, stderr=errors) as process,
    ):
        try:
            running = Service(process, Path(output.name))
            running.wait_until_ready()
            yield running
        finally:
            process.kill()


def alive() -> dict[int, int]:
    """The parent of every process that has not ended."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = place.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            parents[int(place.parent.name)] = int(parent)
    return parents


def family(pid: int) -> set[int]:
    """A process and all that descend from it."""
    members, parents = {pid}, alive()
    while found := {child for child, parent in parents.items() if parent in members} - members:
        members |= found
    return members


def worker_of(service: Service) -> int:
    """The process id of the job worker of a service."""
    return next(
        pid for pid in family(service.process.pid) if b"\0worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for at most twenty seconds."""
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)
