"""Issuing: who may issue which tokens, and how one is made."""

from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from sharing_service.access.callers import Caller, DistrictAdmin, Operator
from sharing_service.access.models import Token
from sharing_service.access.tokens import OPERATOR, Role, Tokens, compose, random_secret
from sharing_service.errors import Forbidden, NotFound

LESSER: Final = (Role.SCHOOL_LEAD, Role.AUDIT_READER, Role.APPLICATION)
"""The roles that do less than a district admin."""


def check_may_issue(caller: Caller, role: str, district_id: UUID | None) -> None:
    """The operator issues every role; a district admin those that do less, for the own district."""
    if isinstance(caller, Operator):
        return
    if not isinstance(caller, DistrictAdmin) or role not in LESSER:
        raise Forbidden("This token may not issue a token of that role.")
    if district_id != caller.district_id:
        raise NotFound


def new_token(tokens: Tokens, caller: Caller, *, district_id: UUID | None, **columns: Any) -> tuple[Token, str]:
    """A token to be stored, and its text, which is shown once."""
    text = compose(district_id or OPERATOR, random_secret())
    token = Token(
        id=uuid7(),
        key_id=tokens.key_id,
        digest=tokens.digest(text),
        district_id=district_id,
        created_by=caller.described(),
        **columns,
    )
    return token, text
