"""Counts the requests of callers, notes who they are, and lets each answer tell how many more may follow.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from fastapi import Request

from sharing_service.access.callers import Caller
from sharing_service.access.limits import Pace, Standing
from sharing_service.access.usage import Usage
from sharing_service.errors import TooManyRequests

PACE: Final = "sharing_service.pace"
"""Where the scope of a request keeps the headers that tell the pace of its caller."""


def pace_of(request: Request) -> Pace:
    """How often each token, district and client has called."""
    pace: Pace = request.app.state.pace
    return pace


def usage_of(request: Request) -> Usage:
    """What is noticed of the tokens of callers."""
    usage: Usage = request.app.state.usage
    return usage


async def admit(request: Request, caller: Caller) -> None:
    """Count a request of a caller and note that its token is used, or refuse it if token or district call too often."""
    _tell(request, await pace_of(request).count(caller))
    usage_of(request).note(caller)


async def admit_client(request: Request, client: UUID) -> None:
    """Count a request of a client that sent a secret of its own, or refuse it if it asks too often."""
    _tell(request, await pace_of(request).count_client(client))


async def admit_guess(request: Request, client: UUID | None) -> None:
    """The same for whoever says to be this client, or one that nobody knows, without a secret that works."""
    _tell(request, await pace_of(request).count_guess(client))


async def admit_report(request: Request, texts: int) -> None:
    """The same for whoever reports so many leaked tokens."""
    _tell(request, await pace_of(request).count_report(texts))


def _tell(request: Request, standings: Sequence[Standing]) -> None:
    """Prepare the headers; one that was refused is the last, and the only one of which a refusal tells."""
    told = [one for one in standings if one.refused] or standings
    policies = ", ".join(f'"{one.policy.name}";q={one.policy.quota};w={one.policy.window}' for one in told)
    present = ", ".join(f'"{one.policy.name}";r={one.remaining};t={one.seconds}' for one in told)
    request.scope[PACE] = ((b"ratelimit-policy", policies.encode()), (b"ratelimit", present.encode()))
    for one in told:
        if one.refused:
            raise TooManyRequests(retry_after=one.seconds)
