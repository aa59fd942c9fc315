"""Serves a generated district that has decided about seven applications."""

import secrets
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx2
from pydantic import SecretStr

from sharing_service import worker
from sharing_service.cli.demo_district import Loader
from sharing_service.cli.demo_requests import printed
from sharing_service.cli.parentage import exit_on_signals
from sharing_service.cli.serve import address_of, announced, bound, opened_database, serve_here
from sharing_service.cli.worker import WorkerChild, limits_of
from sharing_service.database import Database, DatabaseRole
from sharing_service.logs import log_to_stderr
from sharing_service.main import create_app
from sharing_service.settings import Settings


def demo(settings: Settings, *, students: int, port: int, data_dir: Path | None) -> None:
    """Load the district, print tokens and requests, then serve until a signal; what was temporary is gone then."""
    log_to_stderr("warning")  # a line for each request would hide the requests to try
    exit_on_signals()
    with ExitStack() as running:
        listener = running.enter_context(bound("127.0.0.1", port))
        place = data_dir or Path(running.enter_context(tempfile.TemporaryDirectory(prefix="sharing-demo-")))
        # Never the database of the settings: a demo has no business in a real one. Its own operator issues the tokens.
        operator_token = secrets.token_urlsafe(32)
        own = {"data_dir": place, "database_url": None, "operator_token": SecretStr(operator_token)}
        settings = settings.model_copy(update=own)
        addresses = running.enter_context(opened_database(settings, fast=data_dir is None))
        app = create_app(settings, database_url=addresses.api)

        async def sync_now() -> None:
            database = Database(addresses.worker, role=DatabaseRole.WORKER)
            await worker.run(database, limits=limits_of(settings), drain=True)
            await database.close()

        async def load() -> None:
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://demo", timeout=None) as client:
                loader = Loader(client, operator_token, sync_now=sync_now)
                loaded = await loader.load(students=students)
            for line in printed(*loaded, url=address_of(listener)):
                print(line)
            print(flush=True)
            running.enter_context(WorkerChild(addresses.worker))
            running.enter_context(announced(listener))

        serve_here(app, listener, first=load)
