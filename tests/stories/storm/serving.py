"""The service as a process of its own, which tells the state of its pools besides.

python -m tests.stories.storm.serving DATABASE_URL [FAULT]
"""

import asyncio
import os
import sys
from contextlib import AsyncExitStack, ExitStack
from itertools import count
from typing import Final

import asyncpg
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from sharing_service.cli.parentage import end_with
from sharing_service.cli.serve import announced, bound, serve_here
from sharing_service.database import Database, driver_of
from sharing_service.drivers import Drivers
from sharing_service.logs import log_to_stderr
from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.stories.storm.faults import FAULTS

OPERATOR_TOKEN: Final = "operator-token-of-the-storm-0123456789"
TOKEN_KEY: Final = "k" * 32
STATE: Final = "/state"
PLACE: Final = "select concat(current_setting('app.district_id', true), current_setting('app.token_digest', true))"
"""What a connection that nobody uses must not remember."""


def settings() -> Settings:
    """Of the service whose districts are prepared, and of the one that meets the storm."""
    return Settings(
        operator_token=SecretStr(OPERATOR_TOKEN),
        token_key=SecretStr(TOKEN_KEY),
        rate_limit=10**9,
        district_requests_a_minute=10**9,
        volume_alarm=10**6,
    )


class Impatient:
    """Cancels every second request whose client hangs up, as other servers do, and as a process that must end does.

    Ours lets a request run to its end, unless its answer is a file.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._requests = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] == STATE or next(self._requests) % 2:
            await self._app(scope, receive, send)
        else:
            await _unless_gone(self._app, scope, receive, send)


async def _unless_gone(app: FastAPI, scope: Scope, receive: Receive, send: Send) -> None:
    received: asyncio.Queue[Message] = asyncio.Queue()
    answered = False

    async def send_on(message: Message) -> None:
        nonlocal answered
        answered = message["type"] == "http.response.body" and not message.get("more_body", False)
        await send(message)

    async def listen() -> None:
        gone = False
        while not gone:
            message = await receive()
            gone = message["type"] == "http.disconnect"
            received.put_nowait(message)
        if not answered:  # the end of an answer reads like that of its client
            answering.cancel()

    answering = asyncio.create_task(app(scope, received.get, send_on))
    listening = asyncio.create_task(listen())
    await asyncio.wait([answering])
    listening.cancel()
    await asyncio.wait([listening])
    if not answering.cancelled():
        await answering


class State:
    """The pools of a service, and what is left on connections that nobody uses."""

    def __init__(self, database: Database) -> None:
        engines = {"sessions": database.sessions, "exports": database.exports.sessions}
        engines["uploads"] = database.uploads.sessions
        self._engines = {name: sessions.engine for name, sessions in engines.items()}
        self._drivers = {name: pool for name, pool in vars(database).items() if isinstance(pool, Drivers)}
        slots = {"exports": database.exports.slots, "uploads": database.uploads.slots, "pages": database.page_slots}
        self._free = {f"slots of {name}": one._free for name, one in slots.items()}
        self._free |= {f"places of {name}": drivers._free for name, drivers in self._drivers.items()}

    async def answer(self, _: Request) -> JSONResponse:
        """Tell what is in use and free, how many connections there are, and what is wrong with them."""
        numbers = {
            "tasks": len(asyncio.all_tasks()),
            **{f"lent of {name}": _pool(engine).checkedout() for name, engine in self._engines.items()},
            **{name: free._value for name, free in self._free.items()},
        }
        async with AsyncExitStack() as borrowed:
            idle = {
                name: [await borrowed.enter_async_context(drivers.lend()) for _ in drivers.idle[:]]
                for name, drivers in self._drivers.items()
            }
            for name, engine in self._engines.items():
                connections = [engine.connect() for _ in range(_pool(engine).checkedin())]
                idle[name] = [await driver_of(await borrowed.enter_async_context(one)) for one in connections]
            left = [f"{name}: {fault}" for name, some in idle.items() for one in some if (fault := await _left_on(one))]
        return JSONResponse({"numbers": numbers, "connections": sum(map(len, idle.values())), "left": left})


def _pool(engine: AsyncEngine) -> QueuePool:
    assert isinstance(engine.pool, QueuePool)
    return engine.pool


async def _left_on(driver: asyncpg.Connection) -> str | None:
    if driver.is_in_transaction():
        return "a transaction goes on"
    return "the district stays" if await driver.fetchval(PLACE) else None


def serve(url: str, fault: str | None) -> None:
    """Serve until a signal, with a fault if one is named."""
    end_with(os.getppid())
    log_to_stderr("warning")
    with ExitStack() as running:
        for edit in FAULTS[fault].edits if fault else ():
            running.enter_context(edit())
        app = create_app(settings(), database_url=url)
        app.add_route(STATE, State(app.state.database).answer)
        listener = running.enter_context(bound("127.0.0.1", 0))
        running.enter_context(announced(listener))
        serve_here(Impatient(app), listener)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
