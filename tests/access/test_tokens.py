"""The text of tokens and who they stand for."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.access.callers import ApplicationCaller, DistrictAdmin, Operator, SchoolLead
from sharing_service.access.models import Token
from sharing_service.access.tokens import CLIENT, OPERATOR, Tokens, compose, is_well_formed, random_secret
from sharing_service.actions.issue_token import issue_first_operator_token
from sharing_service.audit.models import AuditEntry
from sharing_service.database import SERVICE, enter_district

TOKENS = Tokens(b"k" * 32)
DISTRICT, OTHER = uuid7(), uuid7()


async def kept(session: AsyncSession, place: object = DISTRICT, tokens: Tokens = TOKENS, **columns: object) -> str:
    """The text of a token that the table holds."""
    await enter_district(session, SERVICE)
    text = compose(place, random_secret())  # type: ignore[arg-type]
    row = {"id": uuid7(), "role": "district_admin", "district_id": DISTRICT, "created_by": {}} | columns
    session.add(Token(key_id=tokens.key_id, digest=tokens.digest(text), **row))
    await session.flush()
    return text


@pytest.mark.parametrize("place", [DISTRICT, OPERATOR, CLIENT])
def test_tokens_are_recognisable(place: str) -> None:
    """A token begins with the service's prefix and its place, and ends in a checksum of all before."""
    text = compose(place, random_secret())

    assert text.startswith(f"sharing_{getattr(place, 'hex', place)}_")
    assert is_well_formed(text)


def test_a_mistyped_token_is_told_without_a_query() -> None:
    """Every change of one character breaks the checksum. Catches: a checksum that does not cover the whole text."""
    text = compose(DISTRICT, "a" * 30)
    mistyped = [f"{text[:at]}{'c' if text[at] == 'b' else 'b'}{text[at + 1 :]}" for at in range(len(text))]

    assert [text for text in mistyped if is_well_formed(text)] == []


@pytest.mark.parametrize("text", ["", "sharing_", "ä" * 80, "\x00", compose(OPERATOR, "a" * 30) + "\n"])
def test_what_is_no_token(text: str) -> None:
    """Anything else than a token is told apart without an error."""
    assert not is_well_formed(text)


@pytest.mark.asvs("V7.2.3", "V11.2.3", "V11.5.1")
def test_secrets_are_long_and_differ() -> None:
    """A secret has 30 characters of base 62, which is 178 bits, and never comes twice."""
    secrets = {random_secret() for _ in range(1000)}

    assert len(secrets) == 1000
    assert {len(secret) for secret in secrets} == {30}


def test_derived_secrets() -> None:
    """A derived secret is the same for the same purpose and key, and another for any other."""
    other = Tokens(b"l" * 32)

    assert TOKENS.derived_secret("grant", "day") == TOKENS.derived_secret("grant", "day")
    assert len({TOKENS.derived_secret(*parts) for parts in [("ab", "c"), ("a", "bc"), ("abc",)]}) == 3
    assert TOKENS.derived_secret("grant") != other.derived_secret("grant")
    assert is_well_formed(compose(DISTRICT, TOKENS.derived_secret("grant")))


@pytest.mark.asvs("V13.3.2", "V16.2.5")
def test_the_key_stays_hidden() -> None:
    """Neither the key nor the operator's token stands in what a log could show of the keeper."""
    shown = repr(Tokens(b"k" * 32, "operator's own token"))

    assert "kkk" not in shown
    assert "own token" not in shown


@pytest.mark.asvs("V10.3.2")
async def test_who_calls(session: AsyncSession) -> None:
    """Each role becomes the caller that its row describes."""
    school, application = uuid7(), uuid7()
    admin = await TOKENS.caller_of(session, await kept(session))
    lead = await TOKENS.caller_of(session, await kept(session, role="school_lead", school_ids=[school]))
    reader = await TOKENS.caller_of(session, await kept(session, role="application", application_id=application))
    operator = await TOKENS.caller_of(session, await kept(session, OPERATOR, role="operator", district_id=None))

    assert isinstance(admin, DistrictAdmin)
    assert admin.district_id == DISTRICT
    assert isinstance(lead, SchoolLead)
    assert lead.school_ids == (school,)
    assert isinstance(reader, ApplicationCaller)
    assert reader.application_id == application
    assert isinstance(operator, Operator)


@pytest.mark.asvs("V7.2.1", "V7.4.1", "V10.3.1")
async def test_who_does_not_call(session: AsyncSession) -> None:
    """A revoked, an expired and an unknown token, and one of another key, are nobody's.

    Catches: a look-up that forgets the end of a token."""
    now = datetime.now(UTC)
    expired = await kept(session, expires_at=now - timedelta(seconds=1))
    revoked = await kept(session, revoked_at=now)
    foreign = await kept(session, tokens=Tokens(b"l" * 32))
    unknown = compose(DISTRICT, random_secret())
    lasting = await kept(session, expires_at=now + timedelta(hours=1))

    assert [await TOKENS.caller_of(session, text) for text in (expired, revoked, foreign, unknown)] == [None] * 4
    assert await TOKENS.caller_of(session, lasting) is not None


async def test_the_token_of_the_environment(session: AsyncSession) -> None:
    """The operator's token of the environment is kept nowhere and may have any form."""
    tokens = Tokens(b"k" * 32, "any text of thirty-two characters")

    assert await tokens.caller_of(session, "any text of thirty-two characters") == Operator()
    assert await tokens.caller_of(session, "any text of thirty-two character") is None


@pytest.mark.asvs("V6.3.2", "V6.4.1")
async def test_the_first_operator_token(session: AsyncSession) -> None:
    """Where no operator's token works one is issued, once, and never beside the token of the environment."""
    await enter_district(session, SERVICE)
    await session.execute(update(Token).where(Token.role == "operator").values(revoked_at=func.now()))
    unneeded = await issue_first_operator_token(session, Tokens(b"k" * 32, "o" * 32))
    first = await issue_first_operator_token(session, TOKENS)
    again = await issue_first_operator_token(session, TOKENS)

    assert first is not None
    assert (unneeded, again) == (None, None)
    assert isinstance(await TOKENS.caller_of(session, first), Operator)
    newest = select(AuditEntry.action).where(AuditEntry.district_id == SERVICE).order_by(AuditEntry.id.desc()).limit(1)
    assert await session.scalar(newest) == "issue_token"
