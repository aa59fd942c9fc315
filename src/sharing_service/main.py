"""The composition root: the only place where the parts meet."""

import asyncio
import os
import re
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from sharing_service.access.limits import Pace
from sharing_service.access.tokens import Tokens
from sharing_service.access.usage import Usage
from sharing_service.api import (
    clever,
    client_secrets,
    contact,
    district,
    health,
    idempotency,
    leaked_tokens,
    oauth,
    openapi,
    operator,
    problems,
    tokens,
)
from sharing_service.api.bookkeeping import Bookkeeping
from sharing_service.api.crossing import Crossing
from sharing_service.api.edge import Edge, Measures
from sharing_service.database import Database
from sharing_service.delivery.disclosures import Disclosures
from sharing_service.settings import Settings
from sharing_service.sharing import kept

BODY_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a JSON body: the largest list of sections takes a quarter of it. An upload has a limit of its own."""
# The whole path: a body is read before anything else is known, so another path that ends alike would have no limit.
UPLOADS: Final = re.compile(r"/v1/districts/[^/]+/syncs")

LAST_SECONDS: Final = 5
"""For each thing that a process does last: a database that hangs does not keep it from ending."""

# Its log would record exception messages and bodies, which hold personal data.
NO_TELEMETRY: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


def create_app(settings: Settings, *, database_url: str | None = None) -> FastAPI:
    """The application over the database of the settings, or over `database_url` where an embedded one was started."""
    url = database_url or settings.database_url
    if url is None:
        raise ValueError("No database: set SHARING_DATABASE_URL or start the embedded one first.")
    app = FastAPI(
        title="Sharing service",
        version=version("sharing-service"),
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    app.state.database = Database(url, pool_size=settings.pool_size)
    app.state.disclosures = Disclosures(app.state.database)
    app.state.tokens = tokens_for(settings)
    app.state.pace = Pace(
        app.state.database, requests=settings.rate_limit, of_district=settings.district_requests_a_minute
    )
    app.state.measures = Measures()
    app.state.usage = Usage()
    app.state.bookkeeping = Bookkeeping(
        app.state.database, app.state.usage, app.state.measures, times=settings.volume_alarm
    )
    app.state.upload_limit = settings.upload_limit
    app.state.security_contact = settings.security_contact
    if settings.cors_origins:
        app.add_middleware(Crossing, origins=settings.cors_origins)
    app.add_middleware(Edge, measures=app.state.measures, body_limit=BODY_LIMIT, unbounded=UPLOADS)
    problems.install(app)
    idempotency.install(app)
    openapi.install(app)
    # Partners first: a route is looked for in one part after the other, and they ask most often.
    for part in (clever, health, contact, oauth, operator, client_secrets, tokens, leaked_tokens, district):
        app.include_router(part.router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    books: Bookkeeping = app.state.bookkeeping
    running = [asyncio.create_task(work) for work in (kept.stay_fresh(app.state.database), books.keep())]
    yield
    for task in running:
        task.cancel()
    await asyncio.wait(running, timeout=LAST_SECONDS)
    for last in (books.write, app.state.database.close):
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await last()


def tokens_for(settings: Settings) -> Tokens:
    """The keeper of the token key, taken from the settings or kept in the data directory."""
    key = settings.token_key.get_secret_value().encode() if settings.token_key else _kept_key(settings.data_dir)
    return Tokens(key, settings.operator_token.get_secret_value() if settings.operator_token else None)


def _kept_key(data_dir: Path) -> bytes:
    """The key in the data directory; the first process that starts makes it."""
    path = data_dir / "token.key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, unfinished = tempfile.mkstemp(dir=data_dir, prefix="token.key.")  # mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(unfinished, path)  # unlike a rename it never replaces the key of a process that was faster
        os.unlink(unfinished)
    return path.read_bytes()
