"""The service on a socket, for what only a client at the other end of one can tell."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx2
import uvicorn
from starlette.types import ASGIApp

HELD: Final = 16 * 1024
"""Bytes that the kernel holds at each end: a client that does not read is felt soon."""


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application that answers on a socket; it reads no further than it is asked to."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HELD)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, HELD)]
        transport = httpx2.AsyncHTTPTransport(socket_options=options)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with httpx2.AsyncClient(transport=transport, base_url=address, timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            await serving
