"""`serve` with its children: PostgreSQL, the worker and, with --workers, the processes that answer."""

import asyncio
import http.client
import json
import signal
import socket
import time
from collections import Counter
from pathlib import Path

import asyncpg

from sharing_service.access.limits import Policy
from sharing_service.cli.serve import bound
from sharing_service.patience import Patience
from sharing_service.pools import connections_of
from tests.cli.programs import OPERATOR, alive, family, run, service, wait_until

TOKEN_LINE = "operator token, shown only now: "


def test_finishes_what_it_began_and_keeps_it(tmp_path: Path) -> None:
    """On a private directory it prints a token once; SIGTERM lets a running request finish and leaves no process."""
    tmp_path.chmod(0o700)
    body = json.dumps({"name": "Riverbend"}).encode()
    with service("serve", cwd=tmp_path, SHARING_DATA_DIR=str(tmp_path)) as first:
        assert [line.startswith(TOKEN_LINE) for line in first.printed] == [True, False]
        token = first.printed[0].removeprefix(TOKEN_LINE)
        processes = family(first.process.pid)
        assert len(processes) > 5
        connection = http.client.HTTPConnection(first.url.removeprefix("http://"), timeout=30)
        connection.putrequest("POST", "/v1/districts")
        for name, value in {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }.items():
            connection.putheader(name, value)
        connection.endheaders(body[:5])
        with first.client(token) as client:  # by its answer the half request has arrived too
            assert client.get("/v1/districts").json()["total"] == 0
        first.process.send_signal(signal.SIGTERM)
        connection.send(body[5:])
        assert connection.getresponse().status == 201
        connection.close()
        assert first.process.wait(60) == 0
        assert processes.isdisjoint(alive())
    with service("serve", cwd=tmp_path, SHARING_DATA_DIR=str(tmp_path)) as second:
        assert len(second.printed) == 1
        with second.client(token) as client:
            assert [each["name"] for each in client.get("/v1/districts").json()["data"]] == ["Riverbend"]
            assert client.get("/health/ready").status_code == 200
        assert second.stop(signal.SIGINT) == 0


def test_children_end_with_a_killed_parent(tmp_path: Path) -> None:
    """Catches a worker, a server process or a PostgreSQL left behind by kill -9 of `serve`."""
    with service("serve", "--workers", 2, cwd=tmp_path, SHARING_DATA_DIR="data", SHARING_OPERATOR_TOKEN=OPERATOR) as it:
        assert len(it.printed) == 1
        with it.client() as client:
            assert client.get("/v1/applications").status_code == 200
        processes = family(it.process.pid)
        it.process.kill()
        wait_until(lambda: processes.isdisjoint(alive()))


def test_several_processes_count_together(tmp_path: Path) -> None:
    """Two processes admit what one would, or a part less, and PostgreSQL has room for all of their connections.

    Catches limits that each process keeps for itself.
    """
    own = {"SHARING_DATA_DIR": "data", "SHARING_OPERATOR_TOKEN": OPERATOR, "SHARING_RATE_LIMIT": "40"}
    with service("serve", "--workers", 2, cwd=tmp_path, **own) as it:
        left = 60 - time.time() % 60
        time.sleep(left + 0.1 if left < 20 else 0)
        answers: Counter[int] = Counter()
        for _ in range(60):
            with it.client() as client:  # a connection of its own, which either of the processes takes
                answers[client.get("/v1/districts").status_code] += 1
        auditor = (tmp_path / "data" / "postgresql" / "auditor.url").read_text().strip()
        most = int(asyncio.run(asked(auditor, "show max_connections")))

    assert answers[200] + answers[429] == 60
    assert 40 - 2 * Policy("token", 40, 60).part <= answers[200] <= 40
    assert most > 2 * connections_of(10) + 10


async def asked(url: str, statement: str) -> str:
    """What the database answers."""
    connection = await asyncpg.connect(url)
    value: str = await connection.fetchval(statement)
    await connection.close()
    return value


def test_several_processes_stop_in_order(tmp_path: Path) -> None:
    """SIGTERM ends `serve --workers 2` with all its children, and successfully."""
    with service("serve", "--workers", 2, cwd=tmp_path, SHARING_DATA_DIR="data") as it:
        processes = family(it.process.pid)
        assert it.stop(signal.SIGTERM) == 0
        # Python's own resource tracker notices the end of its parent a moment later.
        wait_until(lambda: processes.isdisjoint(alive()))


def test_refuses_a_port_in_use_before_anything_starts(tmp_path: Path) -> None:
    """A port that is taken ends `serve` with a sentence, and no data directory is made."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = run("serve", "--port", port, cwd=tmp_path, SHARING_DATA_DIR="data")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Cannot listen on 127.0.0.1, port {port}: Address already in use.")
    assert ended.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_who_takes_nothing_is_cut_by_the_kernel() -> None:
    """What has been written to a client is kept for as long as it has for a part of an answer, if it takes nothing.

    Catches the end of an answer that is kept for ever for somebody who never reads it.
    """
    with bound("127.0.0.1", 0) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
            with connection:
                milliseconds = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert milliseconds == Patience().piece * 1000
