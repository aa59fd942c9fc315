"""The OpenAPI document: what FastAPI derives, and the errors that every route of a sort can answer."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from sharing_service.api.idempotency import REPLAYED
from sharing_service.api.problems import MEDIA_TYPE, OAUTH, OAUTH_ERRORS, PARTNER

DESCRIPTION: Final = (
    "A school district syncs its roster once and decides, for each application, which part of it that application sees."
)
KEY: Final = "idempotency-key"
SCHEMAS: Final = "#/components/schemas/"
FOREIGN: Final = ("HTTPValidationError", "ValidationError")
TEXT: Final = {"type": "string"}
PACE: Final = {
    "RateLimit-Policy": {"description": "The quotas of requests that concern the caller.", "schema": TEXT},
    "RateLimit": {"description": "What is left of them, and for how many seconds.", "schema": TEXT},
}
"""Headers that are written as draft-ietf-httpapi-ratelimit-headers-10 has it."""
PACED: Final = {name: {"$ref": f"#/components/headers/{name}"} for name in PACE}


class Place(BaseModel):
    """Where a request is wrong, and why."""

    where: list[str | int] = Field(description="Path of the member, beginning with body, query, path or header.")
    message: str


class Problem(BaseModel):
    """An error as RFC 9457 writes it; some codes add members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`/problems/` and the code.")
    title: str
    status: int
    detail: str = Field(description="What to do. Never repeats a submitted value.")
    code: str = Field(description="Stable: programs decide by it.")
    problems: list[Place] | None = Field(default=None, description="With status 422.")


class OAuthError(BaseModel):
    """An error as RFC 6749, section 5.2 writes it."""

    error: str = Field(json_schema_extra={"enum": [*OAUTH_ERRORS, "temporarily_unavailable", "server_error"]})
    error_description: str


class Message(BaseModel):
    """An error of the partner API."""

    message: str


def install(app: FastAPI) -> None:
    """Let the application describe itself exactly."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # as FastAPI documents it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (Problem, Place, Message, OAuthError):
        schema = model.model_json_schema(ref_template=SCHEMAS + "{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _add_errors(path, operation)
            _document_replay(operation)
            _document_pace(operation)
    for name in FOREIGN:
        schemas.pop(name, None)
    document["components"]["headers"] = PACE
    return document


def _add_errors(path: str, operation: dict[str, Any]) -> None:
    """Describe the errors of one operation and put our form in place of the framework's."""
    responses: dict[str, Any] = operation["responses"]
    derived = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if derived.get("$ref", "").removeprefix(SCHEMAS) in FOREIGN:
        del responses["422"]
    for status in sorted(_expected(path, operation)):
        responses.setdefault(str(status.value), {"description": status.phrase})
    kind, schema = _error_form(path)
    for code, response in responses.items():
        if code[0] in "45" and "content" not in response:
            response["content"] = {kind: {"schema": {"$ref": SCHEMAS + schema.__name__}}}


def _error_form(path: str) -> tuple[str, type[BaseModel]]:
    if path.startswith(PARTNER):
        return "application/json", Message
    return ("application/json", OAuthError) if path.startswith(OAUTH) else (MEDIA_TYPE, Problem)


def _expected(path: str, operation: dict[str, Any]) -> Iterator[HTTPStatus]:
    """The errors that follow from what an operation asks for."""
    yield HTTPStatus.INTERNAL_SERVER_ERROR
    if path.startswith(OAUTH):
        yield from (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED)
        yield from (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
        if "requestBody" in operation:
            yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return
    if operation.get("security"):
        yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
        yield HTTPStatus.SERVICE_UNAVAILABLE
    if "{" in path:
        yield HTTPStatus.NOT_FOUND
    given = any(parameter["in"] in ("query", "header") for parameter in operation.get("parameters", ()))
    if (given and not path.startswith(PARTNER)) or "requestBody" in operation:
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    if "requestBody" in operation:
        yield from (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if "if-match" in _names(operation):
        yield HTTPStatus.PRECONDITION_FAILED
    if KEY in _names(operation):
        yield HTTPStatus.CONFLICT


def _names(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"].lower() for parameter in operation.get("parameters", ())}


def _document_replay(operation: dict[str, Any]) -> None:
    """Describe the header by which a client tells a repeated answer from a first one."""
    header = {"description": "`true` if this repeats the answer of an earlier request.", "schema": {"type": "string"}}
    for status, response in operation["responses"].items():
        if status.startswith("2") and KEY in _names(operation):
            response.setdefault("headers", {})[REPLAYED] = header


def _document_pace(operation: dict[str, Any]) -> None:
    """Describe the headers by which a caller learns how often it may call."""
    for status, response in operation["responses"].items():
        if operation.get("security") and (status.startswith("2") or status == "429"):
            response["headers"] = response.get("headers", {}) | PACED
