"""`Idempotency-Key`: a route asks for `once` and passes what it answers through `once.keep`.

A route whose answer shows a secret asks for `once` and keeps nothing: its repeats are told that it was issued before.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access import idempotency
from sharing_service.access.callers import Caller
from sharing_service.access.idempotency import Stored
from sharing_service.api.dependencies import AnyCaller, WriteSession

REPLAYED: Final = "Idempotency-Replayed"
Answer = TypeVar("Answer", bound=BaseModel)


class Replayed(Exception):
    """The request was done before; this is what it was answered."""

    def __init__(self, stored: Stored) -> None:
        super().__init__()
        self.stored = stored


@dataclass(frozen=True)
class Once:
    """One write under the key of its request, or without one."""

    session: AsyncSession
    caller: Caller
    key: str | None

    async def keep(self, answer: Answer, *, status: int = 201, headers: dict[str, str] | None = None) -> Answer:
        """Keep the answer for repeats and return it; `status` and `headers` are those that the route gives."""
        if self.key is not None:
            kept = {"body": answer.model_dump(mode="json", by_alias=True), "headers": headers or {}}
            await idempotency.keep(self.session, self.caller, self.key, Stored(status, kept))
        return answer


Key = Annotated[
    str | None,
    Header(
        min_length=1, max_length=200, pattern=r"^[\x20-\x7e]+$", description="Makes a repeat harmless for 24 hours."
    ),
]


async def claimed(request: Request, session: AsyncSession, caller: Caller, key: str | None) -> Once:
    """The write of this request in the transaction of a session, which claims its key."""
    if key is not None:
        stored = await idempotency.claim(session, caller, key, await _fingerprint(request))
        if stored is not None:
            raise Replayed(stored)
    return Once(session, caller, key)


async def once(request: Request, session: WriteSession, caller: AnyCaller, idempotency_key: Key = None) -> Once:
    """Claim the key of the request."""
    return await claimed(request, session, caller, idempotency_key)


RunOnce = Annotated[Once, Depends(once)]


def install(app: FastAPI) -> None:
    """Answer repeats."""

    async def replay(_request: Request, repeated: Exception) -> JSONResponse:
        assert isinstance(repeated, Replayed)  # noqa: S101 - what the handler is installed for
        stored = repeated.stored
        return JSONResponse(stored.answer["body"], stored.status, {**stored.answer["headers"], REPLAYED: "true"})

    app.add_exception_handler(Replayed, replay)


async def _fingerprint(request: Request) -> bytes:
    """What tells one request from another; an upload, which is never in memory as a whole, by its length."""
    is_json = "json" in request.headers.get("content-type", "json")
    body = await request.body() if is_json else request.headers.get("content-length", "").encode()
    head = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(head.encode() + body).digest()
