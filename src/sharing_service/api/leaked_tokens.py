"""Leaked tokens: whoever finds one says so, and it works no longer; an open route.

Nobody is asked who reports: whoever knows a token could do worse with it than end it.
"""

import logging
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response, status
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sharing_service.access.tokens import district_of, is_well_formed
from sharing_service.actions.revoke_leaked import revoke_leaked
from sharing_service.api.dependencies import ServiceDatabase, ServiceTokens
from sharing_service.api.pacing import admit_report
from sharing_service.sharing.rules import Strict, storable

log = logging.getLogger(__name__)

AT_ONCE: Final = 100
REPORTERS: Final = UUID(int=1)
"""Stands in place of a district where slots are given: all who report have together what one district has."""

router = APIRouter(tags=["tokens"])


class Leaked(BaseModel):
    """A text that was found where it should not be; whatever else is sent with it is not looked at."""

    token: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(storable)]
    url: str | None = Field(default=None, description="Where it was found. It is neither kept nor logged.")
    source: str | None = Field(default=None, description="What found it. It is neither kept nor logged.")


def _or_list_alone(schema: dict[str, Any]) -> None:
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [whole, whole["properties"]["tokens"]]


class LeakReport(Strict):
    """Texts that may be tokens or client secrets, or the list of them alone, as GitHub's secret scanning sends it.

    https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program
    """

    model_config = ConfigDict(json_schema_extra=_or_list_alone)

    tokens: Annotated[tuple[Leaked, ...], Field(max_length=AT_ONCE)]

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, sent: Any) -> Any:
        return {"tokens": sent} if isinstance(sent, list) else sent


@router.post(
    "/v1/leaked-tokens",
    status_code=status.HTTP_202_ACCEPTED,
    response_class=Response,
    responses={429: {"description": "Too many reports."}, 503: {"description": "Report it again."}},
)
async def post_leaked_tokens(
    request: Request, report: Annotated[LeakReport, Body()], database: ServiceDatabase, tokens: ServiceTokens
) -> None:
    """Revoke each that works, with all tokens that were obtained by it. The answer is the same whatever was found."""
    texts = {leaked.token for leaked in report.tokens}
    possible = list(filter(is_well_formed, texts))
    await admit_report(request, len(possible))
    if any(map(tokens.is_operators, texts)):
        log.warning("the operator's token of the environment was reported as leaked: replace it")
    # Secrets before the tokens that they made, and always in the same order: else two reports could deadlock.
    async with database.decisions.taken(REPORTERS), database.write() as session:
        for text in sorted(possible, key=lambda text: (district_of(text) is not None, text)):
            await revoke_leaked(session, tokens, text)
