"""Errors as `application/problem+json` (RFC 9457), as partners and OAuth clients expect; never with what was sent."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from asyncpg import InterfaceError, PostgresError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Match

from sharing_service.api.validation import problems_of
from sharing_service.errors import (
    Conflict,
    Invalid,
    InvalidClient,
    InvalidJson,
    SharingServiceError,
    TooDeep,
    TookTooLong,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedContent,
)

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
PARTNER: Final = "/v3."
OAUTH: Final = "/oauth/"
OAUTH_ERRORS: Final = (
    *("invalid_request", "invalid_client", "invalid_grant"),
    *("unauthorized_client", "unsupported_grant_type", "invalid_scope"),
)
NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""Headers of every answer that may hold a token (RFC 6749, section 5.1)."""
OUT_OF_TIME: Final = frozenset({"57014", "55P03"})
"""SQLSTATE of a statement that was ended because it, or the lock that it waited for, took too long."""
TRANSIENT: Final = frozenset({"08", "40", "53", "55", "57"})
"""Classes of SQLSTATE that a repeated request may not meet: connection, rollback, resources, locks, shutdown."""


def install(app: FastAPI) -> None:
    """Render every error of the application."""
    app.add_exception_handler(SharingServiceError, _business_fact)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_exception_handler(HTTPException, _protocol_error)
    # What the driver raises while it connects reaches us as it is; everything later, wrapped by SQLAlchemy.
    for failure in (DBAPIError, PoolTimeout, PostgresError, InterfaceError, OSError):
        app.add_exception_handler(failure, _database_failure)


def answer(request: Request, error: SharingServiceError) -> JSONResponse:
    """The answer that tells a business fact."""
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, InvalidClient):
        headers["WWW-Authenticate"] = 'Basic realm="oauth", charset="UTF-8"'
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if "retry_after" in error.members:
        headers["Retry-After"] = str(error.members["retry_after"])
    head = {"title": error.title, "status": error.status, "detail": error.message, "code": error.problem_code}
    return _rendered(request, head | error.members, headers)


def _rendered(request: Request, problem: dict[str, Any], headers: Mapping[str, str]) -> JSONResponse:
    if request.url.path.startswith(PARTNER):
        return JSONResponse({"message": problem["detail"]}, problem["status"], headers)
    if request.url.path.startswith(OAUTH):
        answer = {"error": _oauth_error(problem), "error_description": problem["detail"]}
        return JSONResponse(answer, problem["status"], {**headers, **NOT_KEPT})
    document = {"type": f"/problems/{problem['code']}", **problem}
    return JSONResponse(document, problem["status"], headers, media_type=MEDIA_TYPE)


def _oauth_error(problem: Mapping[str, Any]) -> str:
    """The word of RFC 6749 for an error: its section 5.2 has one for every fault of a request, 4.1.2.1 for ours."""
    if problem["code"] in OAUTH_ERRORS:
        return str(problem["code"])
    if problem["status"] in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return "temporarily_unavailable"
    return "server_error" if problem["status"] == HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request"


async def _business_fact(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SharingServiceError)  # noqa: S101 - what the handler is installed for
    return answer(request, error)


async def _wrong_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what the handler is installed for
    if isinstance(
        error.body, bytes
    ):  # FastAPI parses only what calls itself JSON and hands over anything else as it is
        return answer(request, UnsupportedContent("Send the body as application/json."))
    if any(entry["type"] == "json_invalid" for entry in error.errors()):
        return answer(request, InvalidJson())
    problems, count = problems_of(error.errors(), error.body)
    return answer(request, Invalid(problems=problems, problem_count=count))


async def _protocol_error(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses: an unknown path, a wrong method, a body it cannot read."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is installed for
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return answer(request, InvalidJson("The body cannot be read."))
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return answer(request, TooLarge())
    if error.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        return answer(request, TooDeep())
    status = HTTPStatus(error.status_code)
    sentence = f"{status.phrase}."
    problem = {"title": sentence, "status": status.value, "detail": sentence, "code": status.name.lower()}
    headers = {"Allow": _allowed(request)} if status is HTTPStatus.METHOD_NOT_ALLOWED else error.headers
    return _rendered(request, problem, headers or {})


def _allowed(request: Request) -> str:
    """Every method of the path, where the framework names only those of the first route that has it."""
    routes = request.app.router.routes
    return ", ".join(
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    )


async def _database_failure(request: Request, error: Exception) -> JSONResponse:
    return answer(request, _fact_of(error))


def _fact_of(error: Exception) -> SharingServiceError:
    """What a database error means to a client; its own words hold values and stay here."""
    state = str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
    log.warning("database error", extra={"kind": type(error).__name__, "sqlstate": state})
    if isinstance(error, IntegrityError):
        return Conflict()
    if state in OUT_OF_TIME:
        return TookTooLong()
    if state.startswith("22"):
        return Invalid("A value cannot be stored.")
    if isinstance(error, DBAPIError) and not error.connection_invalidated and state[:2] not in TRANSIENT:
        return SharingServiceError()
    return Unavailable()
