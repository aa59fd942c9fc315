"""The trail: every verb leaves its line in the transaction that did the deed."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.access.callers import Caller, Reporter
from sharing_service.audit.models import AuditEntry
from sharing_service.database import SERVICE


class AuditAction(StrEnum):
    """Every verb of the service, named like its module in `actions`."""

    CREATE_DISTRICT = "create_district"
    ERASE_DISTRICT = "erase_district"
    CREATE_APPLICATION = "create_application"
    CHANGE_APPLICATION = "change_application"
    DELETE_APPLICATION = "delete_application"
    ISSUE_TOKEN = "issue_token"  # noqa: S105 - the name of a verb
    REVOKE_TOKEN = "revoke_token"  # noqa: S105 - the name of a verb
    ROTATE_TOKEN = "rotate_token"  # noqa: S105 - the name of a verb
    REVOKE_LEAKED = "revoke_leaked"
    EXCHANGE_SECRET = "exchange_secret"  # noqa: S105 - the name of a verb
    DERIVE_TOKEN = "derive_token"  # noqa: S105 - the name of a verb
    ISSUE_SECRET = "issue_secret"  # noqa: S105 - the name of a verb
    REVOKE_SECRET = "revoke_secret"  # noqa: S105 - the name of a verb
    REQUEST_SYNC = "request_sync"
    SYNC_ROSTER = "sync_roster"
    RELEASE_SYNC = "release_sync"
    DISCARD_SYNC = "discard_sync"
    CONNECT_APPLICATION = "connect_application"
    DISCONNECT_APPLICATION = "disconnect_application"
    SET_SHARING = "set_sharing"
    UNSHARE = "unshare"
    RESTORE_SHARING = "restore_sharing"
    CHOOSE_SITE = "choose_site"
    CHOOSE_FIELDS = "choose_fields"
    BLOCK_PERSON = "block_person"
    UNBLOCK_PERSON = "unblock_person"
    PAUSE_GRANT = "pause_grant"
    RESUME_GRANT = "resume_grant"
    RAISE_VOLUME_ALARM = "raise_volume_alarm"


def record(
    session: AsyncSession,
    caller: Caller | Reporter,
    action: AuditAction,
    *,
    district_id: UUID | None,
    subject: dict[str, Any],
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    revision: int | None = None,
) -> None:
    """Add one line; `subject` is {"kind", "id", ...} and never holds a person's name."""
    session.add(
        AuditEntry(
            district_id=district_id or SERVICE,
            id=uuid7(),
            action=action.value,
            caller=caller.described(),
            subject=subject,
            before=before,
            after=after,
            revision=revision,
        )
    )


def select_entries(district_id: UUID, *, after: UUID | None, limit: int) -> Select[AuditEntry]:
    """The lines of one district, newest first; `after` is the id of the last one seen."""
    statement = select(AuditEntry).where(AuditEntry.district_id == district_id)
    if after is not None:
        statement = statement.where(AuditEntry.id < after)
    return statement.order_by(AuditEntry.id.desc()).limit(limit)
