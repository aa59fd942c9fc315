"""How a partner answer is sent: part by part, compressed if that is asked for, without its body to a HEAD."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Final

from fastapi import Request, Response
from starlette.types import Message, Receive, Scope, Send

from sharing_service.access.callers import ApplicationCaller
from sharing_service.api.dependencies import database_of
from sharing_service.delivery.withdrawal import Watch

WORTH: Final = 1400
"""Bytes of the smallest answer that is compressed: what fits into one packet does not come sooner."""
BRIEF: Final = 64 * 1024
"""Bytes that are compressed at once; more of them would keep other requests waiting."""
LEVEL: Final = 1
"""Of zlib: a page becomes a ninth; level 6 takes two and a half times as long for a quarter less."""
GZIP: Final = 16 + zlib.MAX_WBITS
"""Window bits by which zlib writes the frame of gzip."""

_compressor = partial(zlib.compressobj, LEVEL, zlib.DEFLATED, GZIP)

UNTIL_SENT: Final = "sharing_service.until_sent"
"""Where the scope of a request keeps a stack that is closed when its answer has been sent, or never will be."""


class Sent(Response):
    """An answer of known length that is sent part by part, as fast as it is received."""

    media_type = "application/json"

    def __init__(self, parts: Sequence[bytes], headers: Mapping[str, str]) -> None:
        super().__init__(headers={**headers, "Content-Length": str(sum(map(len, parts)))})
        self.parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for following, part in enumerate(self.parts, start=1):
            await send({"type": "http.response.body", "body": part, "more_body": following < len(self.parts)})


class Streamed(Response):
    """An answer whose parts are sent while the next ones are read.

    The reader never waits for the client, so that a slow one holds memory, which the slots bound, but no connection of
    the database. What has been read already is sent only as long as it may be.
    """

    media_type = "application/json"

    def __init__(
        self, parts: AsyncGenerator[bytes], headers: Mapping[str, str], reading: AsyncExitStack, watch: Watch
    ) -> None:
        """Answer with these parts; `reading` is what they are read from, closed as soon as the last one is."""
        super().__init__(headers=headers)
        del self.headers["Content-Length"]  # nobody knows it yet
        self.parts = parts
        self.reading = reading
        self.watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        read: asyncio.Queue[bytes | None] = asyncio.Queue()
        reader = asyncio.create_task(self._read(read, wanted=scope["method"] != "HEAD"))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while (part := await read.get()) is not None:
                await self.watch.check()
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await reader  # whatever kept it from the last part must not look like the end
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            reader.cancel()
            await asyncio.wait([reader])

    async def _read(self, read: "asyncio.Queue[bytes | None]", *, wanted: bool) -> None:
        try:
            async with self.reading, aclosing(self.parts):
                if wanted:
                    async for part in self.parts:
                        read.put_nowait(part)
        finally:
            read.put_nowait(None)


def streamed(
    request: Request,
    parts: AsyncGenerator[bytes],
    headers: Mapping[str, str],
    reading: AsyncExitStack,
    caller: ApplicationCaller,
) -> Response:
    """The answer with parts that are still to be read, compressed if the client asks for it."""
    watch = Watch(database_of(request), caller, caller.application_id)
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        return Streamed(_compressing(parts), {**headers, "Content-Encoding": "gzip"}, reading, watch)
    return Streamed(parts, headers, reading, watch)


async def _compressing(parts: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    compressor = _compressor()
    async for part in parts:
        if packed := await asyncio.to_thread(compressor.compress, part):
            yield packed
    yield compressor.flush()


async def sent(request: Request, parts: Sequence[bytes], headers: Mapping[str, str]) -> Response:
    """The answer with these parts, compressed if the client asks for it and it is worth it.

    A length tells secrets only where an attacker can mix own words into an answer again and again (BREACH): these
    answers repeat nothing but the query, and no page in a browser sends a bearer token on its own.
    """
    length = sum(map(len, parts))
    if length < WORTH or not accepts_gzip(request.headers.get("Accept-Encoding", "")):
        return Sent(parts, headers)
    # zlib lets other threads run meanwhile.
    whole = _compressed(parts) if length < BRIEF else await asyncio.to_thread(_compressed, parts)
    return Sent([whole], {**headers, "Content-Encoding": "gzip"})


def accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip with a weight above zero (RFC 9110, section 12.5.3)."""
    for item in accepted.lower().replace(" ", "").split(","):
        coding, _, weight = item.partition(";q=")
        if coding == "gzip":
            return not weight or weight.strip("0.") != ""
    return False


def _compressed(parts: Sequence[bytes]) -> bytes:
    compressor = _compressor()
    return b"".join((*map(compressor.compress, parts), compressor.flush()))


def without_body(send: Send) -> Send:
    """Send what a HEAD is answered: everything of the answer to a GET but its body."""

    async def send_on(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_on
