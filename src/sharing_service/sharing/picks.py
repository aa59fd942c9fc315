"""Picks: the schools and sections that a permission or selection names by id."""

from collections.abc import Sequence
from typing import Any, Final, assert_never
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.errors import Invalid
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.models import RECORDS, Identity, sections
from sharing_service.sharing import selects
from sharing_service.sharing.permissions import (
    SelectByRules,
    SelectEveryone,
    SelectNothing,
    SelectSections,
    ShareByRules,
    ShareBySchoolSite,
    ShareDistrict,
    ShareSchools,
    ShareSections,
    SharingPermission,
    SiteSelection,
)

PLACED: Final = 100
"""Problems told with their place; `unknown_ids` and `foreign_ids` hold all of them."""

Picks = tuple[Kind, str, tuple[UUID, ...]]
"""Kind, member of the body, ids."""


def picks_of(choice: SharingPermission | SiteSelection) -> Picks | None:
    """What is named by id; None where nothing is."""
    match choice:
        case ShareSchools(school_ids=ids):
            return Kind.SCHOOLS, "school_ids", ids
        case ShareSections(section_ids=ids) | SelectSections(section_ids=ids):
            return Kind.SECTIONS, "section_ids", ids
        case (
            ShareDistrict()
            | ShareByRules()
            | ShareBySchoolSite()
            | SelectNothing()
            | SelectEveryone()
            | SelectByRules()
        ):
            return None
        case unhandled:
            assert_never(unhandled)


async def check_known(session: AsyncSession, district_id: UUID, choice: SharingPermission | SiteSelection) -> None:
    """Refuse ids that the district never had, one by one; a record that has left may be named."""
    if (picks := picks_of(choice)) is None:
        return
    kind, member, ids = picks
    await selects.plan_for(session, ids)
    given = selects.given_ids(ids)
    never = select(given).where(~select(Identity.id).where(selects.identified(district_id, kind, given)).exists())
    if unknown := set(await session.scalars(never)):
        raise _refused(member, ids, unknown, text=f"The district never had {kind} with this id.", told_as="unknown_ids")


async def check_at_school(session: AsyncSession, district_id: UUID, choice: SiteSelection, *, school: int) -> None:
    """Refuse sections that are at another school than the one that selects, one by one."""
    if (picks := picks_of(choice)) is None:
        return
    _, member, ids = picks
    await selects.plan_for(session, ids)
    given = selects.given_ids(ids)
    elsewhere = select(given).where(
        selects.identified(district_id, Kind.SECTIONS, given),
        sections.c.district_id == district_id,
        sections.c.ordinal == Identity.ordinal,
        sections.c.school != school,
    )
    if foreign := set(await session.scalars(elsewhere)):
        raise _refused(member, ids, foreign, text="This section is at another school.", told_as="foreign_ids")


async def missing_from(session: AsyncSession, district_id: UUID, choice: SharingPermission) -> Sequence[UUID]:
    """The ids that are named and whose records have left, in order."""
    if (picks := picks_of(choice)) is None:
        return []
    kind, _, ids = picks
    await selects.plan_for(session, ids)
    given, record = selects.given_ids(ids), RECORDS[kind]
    here = (
        select(record.c.ordinal)
        .join(Identity, selects.identified(district_id, kind, given))
        .where(record.c.district_id == district_id, record.c.ordinal == Identity.ordinal)
        .exists()
    )
    gone = set(await session.scalars(select(given).where(~here)))
    return [record_id for record_id in dict.fromkeys(ids) if record_id in gone]


def _refused(member: str, ids: Sequence[UUID], refused: set[UUID], *, text: str, told_as: str) -> Invalid:
    places = [place for place, record_id in enumerate(ids) if record_id in refused]
    problems = [{"where": ["body", member, place], "message": text} for place in places[:PLACED]]
    told: dict[str, Any] = {told_as: [str(record_id) for record_id in dict.fromkeys(ids) if record_id in refused]}
    return Invalid(problems=problems, problem_count=len(places), **told)
