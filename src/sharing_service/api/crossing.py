"""Which pages of other origins may ask the management API from a browser: none, unless the settings name them."""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

MANAGEMENT: Final = "/v1/"
"""Below it are the routes of a dashboard. Partners ask from servers: to a browser their routes stay closed."""
METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
SENT: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "traceparent")
READ: Final = ("ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id")


class Crossing:
    """Wraps the application for pages of these origins, as the Fetch standard (CORS) has it."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        self.app = app
        self.crossed = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=SENT,
            expose_headers=READ,
            allow_credentials=False,  # a token is sent by the page itself; no cookie ever identifies anybody
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        crossing = scope["type"] == "http" and scope["path"].startswith(MANAGEMENT)
        await (self.crossed if crossing else self.app)(scope, receive, send)
