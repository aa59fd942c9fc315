"""The job worker: as a program of its own, and as the child of `serve` that keeps syncs off the API's process."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
from types import TracebackType
from typing import Final, Self

from pgqueuer import PgQueuer

from sharing_service import worker
from sharing_service.cli.failure import CommandFailed
from sharing_service.cli.parentage import end_with
from sharing_service.database import Database, DatabaseRole
from sharing_service.logs import log_to_stderr
from sharing_service.memory import share_arenas
from sharing_service.roster.archive import ArchiveLimits
from sharing_service.settings import Settings

log = logging.getLogger(__name__)

STOP_SECONDS: Final = 30
"""A job that takes longer is cut off; its transaction leaves nothing behind, and the next worker begins it anew."""
RESTART_SECONDS: Final = 2


def run_jobs(settings: Settings, *, parent: int | None = None) -> None:
    """Run jobs until SIGTERM or SIGINT, then finish those that are running; end with `parent` if one is named."""
    if parent is not None:
        end_with(parent)
    share_arenas()
    log_to_stderr(settings.log_level)
    url = settings.worker_database_url or settings.database_url
    if url is None:
        raise CommandFailed(
            "Set SHARING_DATABASE_URL; the embedded PostgreSQL is for `serve`, which runs a worker too."
        )
    asyncio.run(_run_until_signal(url, settings))


async def _run_until_signal(url: str, settings: Settings) -> None:
    def started(queue: PgQueuer) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, queue.shutdown.set)

    database = Database(url, pool_size=settings.pool_size, role=DatabaseRole.WORKER)
    try:
        await worker.run(database, limits=limits_of(settings), started=started)
    finally:
        await database.close()


def limits_of(settings: Settings) -> ArchiveLimits:
    """How much an upload may hold once unpacked."""
    return ArchiveLimits(unpacked=settings.unpacked_limit)


class WorkerChild:
    """The worker as a child process, started anew if it ends by itself, stopped at the end of the `with` block."""

    def __init__(self, url: str) -> None:
        """Name the database of the jobs."""
        self._url = url
        self._changing = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Start the worker."""
        self._process = self._start()
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the worker finish its jobs, for a while."""
        with self._changing:
            self._stopping.set()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._watcher.join()

    def _start(self) -> subprocess.Popen[bytes]:
        # -P: the working directory is no place to import from.
        command = [sys.executable, "-P", "-m", "sharing_service.cli", "worker", "--parent", str(os.getpid())]
        return subprocess.Popen(  # noqa: S603 - our own program
            command,
            # Both, or a file of settings would name the login of the API as well.
            env=os.environ | {"SHARING_DATABASE_URL": self._url, "SHARING_WORKER_DATABASE_URL": self._url},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal is for the parent, which stops the worker after the API
        )

    def _watch(self) -> None:
        # The kernel ends a child with the thread that started it: this thread lasts as long as the worker may.
        while True:
            status = self._process.wait()
            if self._stopping.is_set():
                return
            log.error("the worker ended; another one is started", extra={"status": status})
            self._stopping.wait(RESTART_SECONDS)
            with self._changing:
                if self._stopping.is_set():
                    return
                self._process = self._start()
