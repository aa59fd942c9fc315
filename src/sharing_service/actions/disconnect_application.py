"""Disconnect an application."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.access.models import Token
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery import saving
from sharing_service.delivery.models import StoredLedger
from sharing_service.roster import revisions
from sharing_service.sharing import grants


async def disconnect_application(session: AsyncSession, caller: DistrictAdmin, application_id: UUID) -> None:
    """Take the grant from an application, with its tokens, ledger and site selections; the history stays."""
    district_id = caller.district_id
    await revisions.lock(session, district_id)
    grant = await grants.get_for_update(session, district_id, application_id)
    revision = await revisions.take(session, district_id, cause=AuditAction.DISCONNECT_APPLICATION, caller=caller)
    before = saving.described(grant)
    if grant.sharing is not None:
        # A version of its own, so that no validator from before fits the grant if it is connected again.
        await saving.save(session, district_id, caller, grant, None, revision=revision)
    await session.execute(
        update(Token)
        .where(Token.district_id == district_id, Token.application_id == application_id, Token.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
    )
    await session.delete(grant)
    await session.flush()
    await session.execute(
        delete(StoredLedger).where(
            StoredLedger.district_id == district_id, StoredLedger.application_id == application_id
        )
    )
    trail.record(
        session,
        caller,
        AuditAction.DISCONNECT_APPLICATION,
        district_id=district_id,
        subject={"kind": "application", "id": str(application_id)},
        before=before,
        revision=revision,
    )
