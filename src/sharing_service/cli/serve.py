"""Serves the API beside a worker, on an embedded PostgreSQL unless a server is named."""

import asyncio
import http.client
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from typing import Any, Final

import uvicorn
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from sharing_service import embedded, schema
from sharing_service.access.tokens import Tokens
from sharing_service.actions.issue_token import issue_first_operator_token
from sharing_service.cli.failure import CommandFailed
from sharing_service.cli.parentage import end_with, exit_on_signals
from sharing_service.cli.worker import WorkerChild
from sharing_service.database import Database
from sharing_service.logs import log_to_stderr
from sharing_service.main import create_app, tokens_for
from sharing_service.memory import share_arenas
from sharing_service.patience import Patience
from sharing_service.pools import connections_of
from sharing_service.settings import Settings

Application = Callable[..., Awaitable[None]]
"""Anything that speaks ASGI."""

SPARE_CONNECTIONS: Final = 20
"""Of the embedded PostgreSQL: for the worker's queue and jobs, the start, auditors, and those it keeps for itself."""
FINISH_SECONDS: Final = 30
"""Running requests may take this long after SIGTERM."""

_OPTIONS: Final[dict[str, Any]] = {
    "log_config": None,  # `log_to_stderr` has seen to it
    "log_level": "warning",
    "access_log": False,  # it would log paths and queries, which hold ids and search words; the edge logs requests
    "server_header": False,
    "ws": "none",
    "lifespan": "on",
    "timeout_graceful_shutdown": FINISH_SECONDS,
}


@dataclass(frozen=True)
class Addresses:
    """Where the database is, each time as the login of who works there."""

    api: str
    worker: str


def serve(settings: Settings, *, host: str, port: int, processes: int) -> None:
    """Run the service until a signal ends it: first the running requests, then the worker, then PostgreSQL."""
    log_to_stderr(settings.log_level)
    exit_on_signals()
    with ExitStack() as running:
        listener = running.enter_context(bound(host, port))
        addresses = running.enter_context(opened_database(settings, processes=processes))
        running.enter_context(WorkerChild(addresses.worker))
        print_first_token(settings, addresses.api)
        running.enter_context(announced(listener))
        if processes == 1:
            serve_here(create_app(settings, database_url=addresses.api), listener)
        else:
            _serve_in_children(addresses.api, listener, processes)


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """Take the port at once, so that a wrong one costs no start of a database; `_listen` comes with the answers."""
    with _errors_told(host, port):
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            # The end of an answer is written without waiting for its client: for one that never reads it would be kept.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(Patience().piece * 1000))
        with _errors_told(host, port):
            listener.bind(address)
        yield listener


def _listen(listener: socket.socket) -> None:
    # Two programs that start at once can both bind the port; the second one to listen is refused.
    host, port = listener.getsockname()[:2]
    with _errors_told(host, port):
        listener.listen()


@contextmanager
def _errors_told(host: str, port: int) -> Iterator[None]:
    """Tell what is wrong with an address to listen on."""
    try:
        yield
    except OSError as error:
        raise CommandFailed(
            f"Cannot listen on {host}, port {port}: {error.strerror}. Stop the program that listens there, or choose "
            "another port with --port."
        ) from error


@contextmanager
def opened_database(settings: Settings, *, fast: bool = False, processes: int = 1) -> Iterator[Addresses]:
    """The addresses of the database, at the newest migration: the named one, or an embedded one while the block runs.

    That one has room for so many processes and a worker. These log into it by passwords of their own, with which nobody
    changes the schema.
    """
    if settings.database_url is not None:
        _bring_up_to_date(settings.migration_database_url or settings.database_url)
        yield Addresses(settings.database_url, settings.worker_database_url or settings.database_url)
        return
    connections = processes * connections_of(settings.pool_size) + settings.pool_size + SPARE_CONNECTIONS
    with embedded.start(settings.data_dir, fast=fast, connections=connections) as server:
        _bring_up_to_date(server.url)
        yield Addresses(**server.make_logins())


def _bring_up_to_date(url: str) -> None:
    try:
        # A server that somebody else has migrated may give us a login that owns nothing: then there is nothing to do.
        if not asyncio.run(_is_up_to_date(url)):
            schema.upgrade(url)
    except (OSError, SQLAlchemyError, CommandError) as error:
        # The driver's own error says it without the statement.
        cause = getattr(error, "orig", None) or error
        raise CommandFailed(f"The database is not reachable or cannot be migrated: {cause}") from error


async def _is_up_to_date(url: str) -> bool:
    database = Database(url, role=None)  # the roles are made by the migrations
    try:
        async with database.read() as session:
            return await schema.is_current(session)
    finally:
        await database.close()


def print_first_token(settings: Settings, url: str) -> None:
    """Print an operator's token if nobody could call otherwise; it is shown this once."""
    asyncio.run(_print_first_token(tokens_for(settings), url))


async def _print_first_token(tokens: Tokens, url: str) -> None:
    database = Database(url)
    try:
        async with database.write() as session:
            token = await issue_first_operator_token(session, tokens)
            if token is not None:
                # Before the commit: a token that nobody has seen must not be the one that works.
                print(f"operator token, shown only now: {token}", flush=True)
    finally:
        await database.close()


@contextmanager
def announced(listener: socket.socket) -> Iterator[None]:
    """Print `ready` and the address once the service really answers."""
    ended = threading.Event()
    threading.Thread(target=_announce, args=(listener, ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _announce(listener: socket.socket, ended: threading.Event) -> None:
    host, port = listener.getsockname()[:2]
    while not ended.wait(0.05):
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == http.HTTPStatus.OK:
                print(f"ready {address_of(listener)}", flush=True)
                return
        except OSError:
            continue
        finally:
            connection.close()


def address_of(listener: socket.socket) -> str:
    """The address that a client asks, with the port that was taken if any would do."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve_here(
    app: Application, listener: socket.socket, *, first: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Answer requests in this process until a signal; `first` is done before, in the same event loop."""
    share_arenas()
    config = uvicorn.Config(app, **_OPTIONS)

    async def answer() -> None:
        if first is not None:
            await first()
        _listen(listener)
        await uvicorn.Server(config).serve(sockets=[listener])

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(answer())


def _serve_in_children(url: str, listener: socket.socket, processes: int) -> None:
    os.environ["SHARING_DATABASE_URL"] = url  # how a child knows it
    config = uvicorn.Config("sharing_service.cli.serve:make_app_of_child", factory=True, workers=processes, **_OPTIONS)
    listener.set_inheritable(True)
    _listen(listener)
    children = Multiprocess(config, sockets=[listener])
    children.run()
    if any(child.exitcode == STARTUP_FAILURE for child in children.processes):
        raise CommandFailed("The service could not start; the lines above say why.")


def make_app_of_child() -> Application:
    """The application of one of several processes, made from the environment that its parent prepared."""
    share_arenas()
    settings = Settings()
    log_to_stderr(settings.log_level)
    parent = parent_process()
    if parent is not None and parent.pid is not None:
        end_with(parent.pid)
    return create_app(settings)
