"""Sessions that have entered the district of the path, and parts of its paths."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal, get_args

from fastapi import Depends, Path
from pydantic import BeforeValidator
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.api.dependencies import DistrictAdminOf, PathId, ReadSession, ServiceDatabase, WriteSession
from sharing_service.database import enter_district
from sharing_service.errors import NotFound
from sharing_service.roster.catalogue import Kind


async def _reading(session: ReadSession, district_id: PathId) -> AsyncSession:
    await enter_district(session, district_id)
    return session


async def _writing(session: WriteSession, district_id: PathId, database: ServiceDatabase) -> AsyncSession:
    await enter_district(session, district_id, seconds=database.patience.save)
    return session


# They ask for the caller first: whoever may not do it takes no slot.
async def _evaluating(database: ServiceDatabase, caller: DistrictAdminOf) -> AsyncIterator[AsyncSession]:
    async with database.decisions.taken(caller.district_id), database.read() as session:
        await enter_district(session, caller.district_id, seconds=database.patience.save)
        yield session


async def _exporting(database: ServiceDatabase, caller: DistrictAdminOf) -> AsyncIterator[AsyncSession]:
    async with database.exports.read(caller.district_id) as session:
        await enter_district(session, caller.district_id)
        yield session


async def _uploading(database: ServiceDatabase, caller: DistrictAdminOf) -> AsyncIterator[AsyncSession]:
    async with database.uploads.write(caller.district_id) as session:
        await enter_district(session, caller.district_id)
        yield session


DistrictRead = Annotated[AsyncSession, Depends(_reading)]
DistrictEvaluation = Annotated[AsyncSession, Depends(_evaluating, scope="function")]
"""To read what a decision would share, in one of the slots for decisions."""
DistrictWrite = Annotated[AsyncSession, Depends(_writing, scope="function")]
DistrictExport = Annotated[AsyncSession, Depends(_exporting)]
"""To read a whole file from, in one of the slots for these."""
DistrictUpload = Annotated[AsyncSession, Depends(_uploading, scope="function")]
"""To receive files by, in one of the slots for these."""

Counted = Literal[Kind.SCHOOLS, Kind.SECTIONS, Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF]
Browsed = Literal[Counted, Kind.COURSES, Kind.TERMS]


def _one_of(kinds: Any) -> BeforeValidator:
    """A path that does not exist is not found, rather than found to be invalid."""
    known: dict[str, Kind] = {kind.value: kind for kind in get_args(kinds)}

    def found(word: str) -> Kind:
        if word not in known:
            raise NotFound
        return known[word]

    return BeforeValidator(found)


BrowsedKind = Annotated[Browsed, _one_of(Browsed), Path()]
CountedKind = Annotated[Counted, _one_of(Counted), Path()]
