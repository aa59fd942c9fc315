"""The service as `serve` runs it, API and worker as processes of their own, with reference routes beside its own."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import asyncpg
import httpx2
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from sharing_service.cli.parentage import end_with
from sharing_service.cli.serve import address_of, bound, serve_here
from sharing_service.cli.worker import WorkerChild
from sharing_service.embedded import EmbeddedPostgres
from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.service import Headers

OPERATOR_TOKEN: Final = "operator-token-of-the-bench-0123456789"
EMPTY: Final = "sharing"
"""The database that is migrated and has no district."""
START_SECONDS: Final = 60
CLIENTS: Final = 4
"""How many ask at once."""
UNLIMITED: Final = 10**9
"""Requests a minute of a token, where the pace of the service is measured and not ours."""


@dataclass(frozen=True)
class Admin:
    """Who manages a district. A copy of its database knows the same token, since services here share their key."""

    district_id: str
    headers: Headers


@dataclass(frozen=True)
class Served:
    """Where a service answers, the database behind it, and the admin of its district if that has one already."""

    url: str
    dsn: str
    admin: Admin | None = None


@contextmanager
def served(server: EmbeddedPostgres, name: str, data_dir: Path, *, template: str = EMPTY) -> Iterator[Served]:
    """Serve a copy of a database that nobody uses."""
    asyncio.run(_copy(server.dsn, template, name))
    dsn = f"{server.dsn.removesuffix('/sharing')}/{name}"
    settings = Settings(
        data_dir=data_dir,
        operator_token=SecretStr(OPERATOR_TOKEN),
        rate_limit=UNLIMITED,
        district_requests_a_minute=UNLIMITED,
    )
    with bound("127.0.0.1", 0) as listener, WorkerChild(dsn):
        api = get_context("spawn").Process(target=_answer, args=(settings, dsn, listener, os.getpid()), daemon=True)
        api.start()
        try:
            _wait_for(address_of(listener))
            yield Served(address_of(listener), dsn)
        finally:
            api.terminate()
            api.join()


async def _copy(dsn: str, template: str, name: str) -> None:
    connection = await asyncpg.connect(f"{dsn.removesuffix('/sharing')}/postgres")
    # Files, not through the log: it ends with a checkpoint, so that nothing of the copy is left to be written later.
    await connection.execute(f"create database {name} template {template} strategy file_copy")
    await connection.close()


def _wait_for(url: str) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/health/ready", trust_env=False).is_success:
                return
        time.sleep(0.05)
    raise TimeoutError("The service did not start.")


def _answer(settings: Settings, dsn: str, listener: socket.socket, parent: int) -> None:
    end_with(parent)
    app = create_app(settings, database_url=dsn)
    bare = _Bare(dsn)
    app.add_route("/bench/page", bare.page)
    app.add_route("/bench/one", bare.one)
    serve_here(app, listener)


class _Bare:
    """Routes that answer whole stored documents by primary key and do nothing else."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._opening = asyncio.Lock()
        self._pool: asyncpg.Pool | None = None

    async def page(self, request: Request) -> Response:
        return await self._documents("id > $1 order by id limit 1000", request.query_params["after"])

    async def one(self, request: Request) -> Response:
        return await self._documents("id = $1", request.query_params["id"])

    async def _documents(self, condition: str, key: str) -> Response:
        async with self._opening:
            # Without the statement that resets a connection, which a reference does not need.
            self._pool = self._pool or await asyncpg.create_pool(
                self._dsn, min_size=CLIENTS, max_size=CLIENTS, reset=_leave
            )
        rows = await self._pool.fetch(f"select document from bench_students where {condition}", key)
        return Response(f"[{','.join(row['document'] for row in rows)}]", media_type="application/json")


async def _leave(_: asyncpg.Connection) -> None:
    pass
