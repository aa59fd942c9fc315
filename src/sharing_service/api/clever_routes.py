"""Routes of the partner API: described by FastAPI, found and called without it, which would take most of the time."""

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import cached_property
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from sharing_service.api import problems
from sharing_service.api.clever_answers import headers
from sharing_service.api.clever_sending import UNTIL_SENT, without_body
from sharing_service.errors import NotFound, SharingServiceError


class PartnerRoute(APIRoute):
    """A route that calls its endpoint with the request, and whose refusals carry the headers of every answer.

    Its dependencies are only described: whoever answers must demand the caller.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint, its errors told in Clever's form."""

        async def answering(request: Request) -> Response:
            try:
                response: Response = await self.endpoint(request)
            except SharingServiceError as error:
                await request.scope[UNTIL_SENT].aclose()  # whoever is refused holds no slot while that is being sent
                # Absent, foreign and unshared records answer byte for byte the same.
                shown = NotFound("Resource not found") if isinstance(error, NotFound) else error
                response = problems.answer(request, shown)
                response.headers.update(headers(request.state))
            return response

        return answering

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a HEAD as a GET; FastAPI would describe every route twice if it were one of its methods."""
        async with AsyncExitStack() as scope[UNTIL_SENT]:
            if scope["method"] == "HEAD":
                await self.app(scope, receive, without_body(send))
            else:
                await super().handle(scope, receive, send)


class PartnerRouter(APIRouter):
    """Finds a route by the form of the path at once; FastAPI tries one after the other, and once more to answer."""

    def __init__(self) -> None:
        super().__init__(route_class=PartnerRoute)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a route has this path, and this method."""
        route, _ = self._found(scope)
        if route is None:
            return Match.NONE, {}
        return (Match.FULL if scope["method"] in ("HEAD", *(route.methods or ())) else Match.PARTIAL), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route answer that `matches` found."""
        route, parameters = self._found(scope)
        assert route is not None  # noqa: S101 - asked after `matches` only
        scope.update({"route": route, "endpoint": route.endpoint, "path_params": parameters})
        await route.handle(scope, receive, send)

    def _found(self, scope: Scope) -> tuple[PartnerRoute | None, dict[str, str]]:
        """The route, and the values in its path; every template names at most one id, behind the collection."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        segments = path.split("/")
        named = len(segments) > 3 and segments[3] != ""
        if named:
            path = "/".join((*segments[:3], "{id}", *segments[4:]))
        return self._by_path.get(path), {"id": segments[3]} if named else {}

    @cached_property
    def _by_path(self) -> dict[str, PartnerRoute]:
        return {route.path: route for route in self.routes if isinstance(route, PartnerRoute)}
