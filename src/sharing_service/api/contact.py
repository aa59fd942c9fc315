"""Tells who finds a weakness whom to tell (RFC 9116); an open route."""

from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from sharing_service.errors import NotFound

router = APIRouter(tags=["operations"])

VALID: Final = timedelta(days=180)
"""How long a reader may rely on it: less than a year (section 2.5.5). It is as fresh as the settings."""


@router.get(
    "/.well-known/security.txt",
    response_class=PlainTextResponse,
    responses={404: {"description": "The settings name no contact."}},
)
async def security_txt(request: Request) -> PlainTextResponse:
    """Whom to tell about a weakness of this service, and until when that is true."""
    contact: str | None = request.app.state.security_contact
    if contact is None:
        raise NotFound
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return PlainTextResponse(f"Contact: {contact}\nExpires: {today + VALID:%Y-%m-%dT%H:%M:%SZ}\n")
