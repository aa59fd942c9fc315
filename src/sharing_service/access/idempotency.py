"""Writes that a caller may repeat: the second time they answer what they answered first."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Caller
from sharing_service.access.models import IdempotencyKey
from sharing_service.errors import AlreadyIssued, Invalid

KEPT: Final = timedelta(hours=24)
PURGED_AT_ONCE: Final = 100
EXPIRED: Final = IdempotencyKey.created_at < func.now() - KEPT


@dataclass(frozen=True)
class Stored:
    """The answer that the first request got."""

    status: int
    answer: dict[str, Any]


def holder(caller: Caller) -> str:
    """Whose key it is: keys of two tokens are never the same."""
    return caller.role if caller.token_id is None else str(caller.token_id)


async def claim(session: AsyncSession, caller: Caller, key: str, fingerprint: bytes) -> Stored | None:
    """Take a key for this transaction, or find what it was answered before; a repeat waits for a first one at work."""
    await _purge(session)
    fresh = {"fingerprint": fingerprint, "status": None, "answer": None, "created_at": func.now()}
    statement = (
        insert(IdempotencyKey)
        .values(caller=holder(caller), key=key, **fresh)
        .on_conflict_do_update(index_elements=["caller", "key"], set_=fresh, where=EXPIRED)
        .returning(IdempotencyKey.key)
    )
    if await session.scalar(statement) is not None:
        return None
    row = (
        await session.execute(
            select(IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.answer).where(
                IdempotencyKey.caller == holder(caller), IdempotencyKey.key == key
            )
        )
    ).one()
    if row.fingerprint != fingerprint:
        raise Invalid("This Idempotency-Key was used for another request.", code="idempotency_key_reused")
    if row.status is None or row.answer is None:
        raise AlreadyIssued
    return Stored(row.status, row.answer)


async def keep(session: AsyncSession, caller: Caller, key: str, answer: Stored) -> None:
    """Keep the answer for repeats; one that shows a secret must not come here."""
    await session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.caller == holder(caller), IdempotencyKey.key == key)
        .values(status=answer.status, answer=answer.answer)
    )


async def _purge(session: AsyncSession) -> None:
    """Delete some of the keys that nobody may rely on any more."""
    old = (
        select(IdempotencyKey.caller, IdempotencyKey.key)
        .where(EXPIRED)
        .limit(PURGED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    table = IdempotencyKey.__table__
    await session.execute(delete(IdempotencyKey).where(func.row(table.c.caller, table.c.key).in_(old)))
