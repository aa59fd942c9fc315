"""A PostgreSQL cluster in a folder, made by initdb and served by a child of this process (Linux only).

As root the server runs under a user of its own, which can often enter neither the data directory nor the virtual
environment. So it inherits the cluster as an open folder and names it `/proc/self/fd/N`: no folder above is ever
entered.
"""

import ctypes
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sharing_service.programs import EmbeddedPostgresError, find_programs

# Handed out neither by adduser nor by systemd, and below 65536, so that a rootless container has it too. No other
# program shares it, as programs do share `nobody`: who shares a user can read the memory of the server.
SERVER_UID = 60999
RECOVERY_SECONDS = 600
LOG_BYTES = 5_000_000
PR_SET_PDEATHSIG = 1
KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TOP_PAD_": str(2**20),
}
"""Of glibc: a page of 10,000 records takes 20 MB, and to clear them anew for each was a quarter of its time."""

_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Cluster:
    """The folder `data` of a cluster, with its password and its log beside it."""

    folder: Path
    programs: Path
    uid: int | None  # None: the server runs as the user of this process
    server_lock: int

    @property
    def data(self) -> Path:
        """The folder that PostgreSQL calls its data directory; absent until it is complete."""
        return self.folder / "data"

    @property
    def password(self) -> str:
        """The password of the superuser `postgres`."""
        return (self.folder / "password").read_text()

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def check_version(self) -> None:
        """Refuse a cluster that another major version of PostgreSQL made."""
        made_by = (self.data / "PG_VERSION").read_text().strip()
        command = [str(self.programs / "postgres"), "--version"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - a fixed command
        version = re.findall(r"\d+", answer.stdout)[0]
        if version != made_by:
            raise EmbeddedPostgresError(
                f"{self.data} was made by PostgreSQL {made_by}, but {self.programs} holds PostgreSQL {version}. "
                f"Write a dump with PostgreSQL {made_by} and load it into a new data directory, or serve the old one "
                f"with PostgreSQL {made_by} and name that server with SHARING_DATABASE_URL."
            )

    def create(self, *, fast: bool) -> None:
        """Make the cluster under another name first: one that is cut short is never taken as good."""
        unfinished = self.folder / "data.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        uid = None
        if self.uid is not None:
            # initdb asks for a user with a name. Any will do: the folder above is closed to all but root.
            uid = next((user.pw_uid for user in pwd.getpwall() if user.pw_uid != 0), self.uid)
            os.chown(unfinished, uid, self.uid)
        password = secrets.token_hex(24)
        with open(os.open(self.folder / "password", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(password)
            file.flush()
            os.fsync(file.fileno())
        self._run_initdb(unfinished, uid, password, fast=fast)
        if self.uid is not None:
            for parent, _, files in os.walk(unfinished):
                for place in (parent, *(os.path.join(parent, name) for name in files)):
                    os.chown(place, self.uid, self.uid, follow_symlinks=False)
        unfinished.rename(self.data)

    def _run_initdb(self, data: Path, uid: int | None, password: str, *, fast: bool) -> None:
        # The server's user cannot open a file of ours by its path, but any process can open a memory file it inherits.
        with open(os.memfd_create("password"), "w") as secret:
            secret.write(password)
            secret.flush()
            options = [
                "--username=postgres",
                f"--pwfile=/proc/self/fd/{secret.fileno()}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--data-checksums",
                "--no-instructions",
                *(["--no-sync"] if fast else []),
            ]
            initdb, said = self._spawn("initdb", options, data, uid=uid, files=(secret.fileno(),))
            try:
                failed = initdb.wait() != 0
            finally:
                end(initdb)
        if failed:
            raise EmbeddedPostgresError(f"PostgreSQL could not make its cluster:\n{self._log_since(said)}")

    def serve(self, settings: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
        """Start the server on a free port, and on another one if some program was faster to take it."""
        pid_file = self.data / "postmaster.pid"
        _forget_other_process(pid_file)
        for tries_left in (2, 1, 0):
            port = _free_port()
            options = [f"--{name}={value}" for name, value in {"port": port, **settings}.items()]
            process, said = self._spawn("postgres", options, self.data, uid=self.uid)
            try:
                if _comes_up(process, pid_file):
                    return process, port
            except BaseException:
                end(process)
                raise
            if tries_left == 0 or "could not bind" not in self._log_since(said):
                break
        raise EmbeddedPostgresError(f"PostgreSQL did not start:\n{self._log_since(said)}")

    def _spawn(
        self, program: str, options: list[str], data: Path, *, uid: int | None, files: tuple[int, ...] = ()
    ) -> tuple[subprocess.Popen[bytes], int]:
        parent = os.getpid()

        def die_with_parent() -> None:
            # Here, after the change of user, which would take the wish back.
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
            if os.getppid() != parent:
                os._exit(1)

        with (
            open(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log,
            _opened(data) as folder,
        ):
            said = log.tell()
            process = subprocess.Popen(  # noqa: S603 - program and options are ours
                [self.programs / program, "-D", f"/proc/self/fd/{folder}", *options],
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", **KEPT_MEMORY},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=uid,
                group=self.uid,
                extra_groups=None if uid is None else (),
                pass_fds=(self.server_lock, folder, *files),
                start_new_session=True,  # Ctrl-C in a terminal is for this process, which stops the server last
                preexec_fn=die_with_parent,
            )
            return process, said

    def _log_since(self, position: int) -> str:
        return self._log.read_bytes()[position:][-2000:].decode(errors="replace").strip()


def open_cluster(folder: Path, bindir: Path | None, *, server_lock: int) -> Cluster:
    """The cluster of this folder, made or still to be made; its processes inherit the file `server_lock`."""
    data, log = folder / "data", folder / "server.log"
    uid = None
    if os.geteuid() == 0:
        uid = data.stat().st_uid if data.exists() else SERVER_UID
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(folder / "server.log.1")
    programs = bindir or find_programs(for_everyone=uid is not None)
    if not (programs / "initdb").exists():
        raise EmbeddedPostgresError(f"{programs} holds no PostgreSQL server: name the folder of its initdb.")
    return Cluster(folder, programs, uid, server_lock)


def _comes_up(process: subprocess.Popen[bytes], pid_file: Path) -> bool:
    """Wait until the server says in its pid file that it takes connections; false if it ended."""
    give_up = time.monotonic() + RECOVERY_SECONDS
    while process.poll() is None:
        with suppress(FileNotFoundError):
            lines = pid_file.read_text().splitlines()
            if lines[:1] == [str(process.pid)] and lines[7:8] and lines[7].strip() == "ready":
                return True
        if time.monotonic() > give_up:
            raise EmbeddedPostgresError(f"PostgreSQL was not ready within {RECOVERY_SECONDS} seconds; start it again.")
        time.sleep(0.02)
    return False


def _forget_other_process(pid_file: Path) -> None:
    # In a container process ids repeat: the one that a killed server left behind may now be that of another program,
    # and PostgreSQL would refuse to start. If it is a PostgreSQL, started by hand, the refusal is right.
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text().split("\n", 1)[0])
        if Path(f"/proc/{pid}/comm").read_text().strip() not in ("postgres", "postmaster"):
            pid_file.unlink()


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a server, or initdb, as gently as it lets itself be stopped."""
    # SIGINT is PostgreSQL's fast shutdown, SIGQUIT the one that leaves a recovery to the next start.
    for number, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, None)):
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield file
    finally:
        os.close(file)
