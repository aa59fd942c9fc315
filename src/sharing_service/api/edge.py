"""The edge of the service, as pure ASGI: what every answer gets, how much a request may send, what is measured."""

import logging
import re
import time
import traceback
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sharing_service.api import problems
from sharing_service.errors import SharingServiceError

log = logging.getLogger(__name__)

UNMATCHED: Final = "unmatched"


class Measures:
    """Counts and durations of requests by route template, never by path: paths hold ids."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("sharing_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "sharing_request_seconds", "Seconds until the last byte of an answer.", labels[:2], registry=self.registry
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request."""
        method = scope["method"] if scope["method"] in problems.METHODS else "other"
        route = _template(scope)
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


def _template(scope: Scope) -> str:
    """The whole template of the route that answered; a route in a router with a prefix knows only its own part."""
    own: str | None = getattr(scope.get("route"), "path", None)
    if own is None:
        return UNMATCHED
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    segments = scope["path"].split("/")
    prefix = segments[: len(segments) - own.count("/")]
    return "/".join(names.get(segment, segment) for segment in prefix) + own


class Edge:
    """Wraps the application; `unbounded` is the form of the paths whose routes count the bytes of a body themselves."""

    def __init__(self, app: ASGIApp, *, measures: Measures, body_limit: int, unbounded: re.Pattern[str]) -> None:
        self.app = app
        self.measures = measures
        self.body_limit = body_limit
        self.unbounded = unbounded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0
        start = time.perf_counter()

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, message)
            await send(message)

        try:
            await self.app(scope, self._bounded(scope, receive), send_on)
        except Exception as error:
            _log(error)
            if status:
                # From None: the server logs what it catches, and the words of an error may hold personal data.
                raise RuntimeError("The answer broke off.") from None
            answer = problems.answer(Request(scope), SharingServiceError())
            await answer(scope, receive, send_on)
        finally:
            self.measures.observe(scope, status, time.perf_counter() - start)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        if self.unbounded.fullmatch(scope["path"]):
            return receive
        received = 0

        async def receive_on() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.body_limit:
                raise HTTPException(413)
            return message

        return receive_on


def _add_headers(scope: Scope, message: Message) -> None:
    headers = message["headers"] = list(message.get("headers", ()))
    headers.append((b"x-content-type-options", b"nosniff"))
    if not any(name.lower() == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-store"))


def _log(error: Exception) -> None:
    """What failed and where, without the words of the error."""
    where = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    log.error("unexpected %s\n%s", type(error).__name__, where)
