"""The edge of the service, as pure ASGI: what every answer gets, how much a request may send, what is measured.

Each request gets an id and a place in a trace here, and a line in the log, by the template of its route.
"""

import asyncio
import json
import logging
import re
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sharing_service import tracing
from sharing_service.api import nesting, problems
from sharing_service.api.pacing import PACE
from sharing_service.delivery.withdrawal import Withdrawn
from sharing_service.errors import SharingServiceError
from sharing_service.logs import failures
from sharing_service.tracing import Trace

log = logging.getLogger(__name__)

UNMATCHED: Final = "unmatched"
REQUEST_ID: Final = b"x-request-id"
TRACED: Final = (REQUEST_ID, b"traceparent")
CUT: Final = 499
"""What is measured of a request that its client cut before it was answered, as nginx writes it."""
POLLED: Final = ("/health/live", "/health/ready", "/metrics")
"""Routes that are asked every few seconds for ever; their good answers are not worth a line."""
HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""Headers of every answer that does not set its own: no cache keeps it, and a browser does nothing with it."""
TRANSPORT: Final = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
"""For answers over TLS; a browser must ignore it on others (RFC 6797, section 8.1)."""


class Measures:
    """Counts and durations of requests by route template, never by path: paths hold ids."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("sharing_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "sharing_request_seconds", "Seconds until the last byte of an answer.", labels[:2], registry=self.registry
        )
        self.volume_alarms = Counter(
            "sharing_volume_alarms", "Hours in which a token received unusually many persons.", registry=self.registry
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
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
        headers = scope["headers"]
        given = [[value.decode("latin-1") for name, value in headers if name == wanted] for wanted in TRACED]
        trace = tracing.of_request(*given)
        with tracing.within(trace):
            await self._answer(scope, receive, _in_time(scope, send), trace)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, trace: Trace) -> None:
        status = 0
        start = time.perf_counter()

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, message, trace)
            await send(message)

        try:
            await self.app(scope, self._bounded(scope, receive), send_on)
        except ClientDisconnect:
            status = status or CUT
        except Withdrawn:
            log.warning("an answer was cut, since what allowed it was withdrawn")
            raise RuntimeError("The answer broke off.") from None
        except Exception as error:
            log.error("unexpected error", extra={"error": failures(error)})
            if status:
                # From None: the server logs what it catches, and the words of an error may hold personal data.
                raise RuntimeError("The answer broke off.") from None
            answer = problems.answer(Request(scope), SharingServiceError())
            with suppress(ClientDisconnect):
                await answer(scope, receive, send_on)
        finally:
            self._note(scope, status, time.perf_counter() - start)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """Measure a request and write its line."""
        method = scope["method"] if scope["method"] in problems.METHODS else "other"
        route = _template(scope)
        self.measures.observe(method, route, status, seconds)
        if route not in POLLED or status >= HTTPStatus.BAD_REQUEST:
            said = {"method": method, "route": route, "status": status, "seconds": round(seconds, 6)}
            log.info("request", extra=said)

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

        return _shallow(receive_on) if _is_json(scope) else receive_on


def _in_time(scope: Scope, send: Send) -> Send:
    """Send to a client that takes each part in time, or has cut its request."""

    async def send_on(message: Message) -> None:
        try:
            async with asyncio.timeout(scope["app"].state.database.patience.piece):
                await send(message)
        except TimeoutError:
            # Whoever takes so little is as good as gone, and an answer that waits holds memory, or a snapshot.
            raise ClientDisconnect from None

    return send_on


def _is_json(scope: Scope) -> bool:
    """Whether a route may parse the body; those of OAuth read forms only."""
    return not scope["path"].startswith(problems.OAUTH) and any(
        name == b"content-type" and b"json" in value.lower() for name, value in scope["headers"]
    )


def _shallow(receive: Receive) -> Receive:
    """Receive a body in one piece, once it is known to be nested no deeper than a parser should go."""

    async def receive_on() -> Message:
        message = await receive()
        pieces = [message.get("body", b"")]
        while message.get("more_body"):
            message = await receive()
            pieces.append(message.get("body", b""))
        body = b"".join(pieces)
        # The parser would read other encodings too, in which depth is not seen (RFC 8259 section 8.1).
        if not json.detect_encoding(body).startswith("utf-8"):
            raise HTTPException(400)
        if nesting.is_too_deep(body):
            raise HTTPException(422)
        return {**message, "body": body} if message["type"] == "http.request" else message

    return receive_on


def _add_headers(scope: Scope, message: Message, trace: Trace) -> None:
    headers = message["headers"] = list(message.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    headers += [(name, value) for name, value in HEADERS if name not in present]
    headers.append((REQUEST_ID, trace.request_id.encode()))
    headers += scope.get(PACE, ())
    if scope.get("scheme") == "https":
        headers.append(TRANSPORT)
