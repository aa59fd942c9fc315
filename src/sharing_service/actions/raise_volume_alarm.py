"""Raise the alarm about a volume."""

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery.models import TokenVolume
from sharing_service.delivery.volumes import Volume


async def raise_volume_alarm(session: AsyncSession, volume: Volume) -> None:
    """Tell the district that a token received unusually many persons, once for each hour; the token works on."""
    reader = volume.hour.reader
    await session.execute(
        update(TokenVolume)
        .where(
            TokenVolume.district_id == reader.district_id,
            TokenVolume.token_id == volume.hour.token_id,
            TokenVolume.hour == volume.hour.begins,
        )
        .values(alarmed_at=func.now())
    )
    trail.record(
        session,
        reader,
        AuditAction.RAISE_VOLUME_ALARM,
        district_id=reader.district_id,
        subject={"kind": "token", "id": str(volume.hour.token_id)},
        after={"hour": volume.hour.begins.isoformat(), "persons": volume.persons, "shared": volume.shared},
    )
