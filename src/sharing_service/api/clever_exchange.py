"""One request of an application: who asks, what it sees, and its answer, sent when the disclosure is on record.

A request costs few round trips: the token, the grant and the places of ids are one statement in the snapshot of the
records themselves, so that what a district takes back is gone with the next request.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response
from pyroaring import AbstractBitMap
from starlette.datastructures import QueryParams

from sharing_service.access.callers import ApplicationCaller
from sharing_service.access.tokens import caller_from, district_of
from sharing_service.api import clever_answers as answers
from sharing_service.api import clever_validators as validators
from sharing_service.api.clever_answers import PATHS
from sharing_service.api.clever_parameters import (
    ListParameters,
    canonical_id,
    page_links,
    parse,
    parse_feed,
    window_of,
)
from sharing_service.api.clever_sending import UNTIL_SENT, sent, streamed
from sharing_service.api.dependencies import application, authenticate, bearer, database_of, tokens_of
from sharing_service.api.pacing import admit, usage_of
from sharing_service.database import Snapshot
from sharing_service.delivery import pages, singles, views
from sharing_service.delivery.disclosures import Disclosed, Disclosures
from sharing_service.delivery.pages import Page
from sharing_service.delivery.singles import Single
from sharing_service.delivery.views import Places, View
from sharing_service.errors import BadParameter, NotFound, SharingServiceError, TooLarge, Unauthenticated
from sharing_service.roster.catalogue import PEOPLE, Numbering

NO_QUERY: Final = QueryParams()
READ_AT_ONCE: Final = 1000
"""Records of the largest page that is read whole before it is sent, so that its length can be told."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a path asks for: the record that it names and the list that it answers, each by its numbering."""

    version: str
    record: Numbering | None = None
    listed: Numbering | None = None
    roles: bool = False
    """Whether `role` filters the list."""
    primary: bool = False
    """Whether `primary` does."""
    alone: bool = False
    """Whether the record itself is the whole answer."""
    district: bool = False
    """Whether the answer is the district itself."""
    feed: bool = False
    """Whether the list is that of feed events."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of an answer in parts, or those that are still to be read, and the page of records in it."""

    parts: Sequence[bytes] = ()
    page: Page | None = None
    coming: AsyncGenerator[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what it sees."""

    asked: Asked
    request: Request
    snapshot: Snapshot
    view: View
    parameters: ListParameters

    async def page(self, numbering: Numbering, found: AbstractBitMap) -> Answer:
        """The asked page of a list."""
        window = window_of(found, self.parameters, self.view)
        path = f"/{self.asked.version}/{PATHS[numbering]}/"
        count = window.total if self.parameters.count else None
        links = partial(self.links, preceded=window.preceded, followed=window.followed)
        if len(window.ordinals) > READ_AT_ONCE and numbering != "sections":
            stream = await pages.stream(self.snapshot, self.view, numbering, window.ordinals, uri=path)
            page = stream.page
            coming = answers.streamed(stream.parts, partial(links, page), count=count)
            return Answer(page=page, coming=coming)
        page = await pages.read(self.snapshot, self.view, numbering, window.ordinals, uri=path)
        return Answer(answers.several(page, links=links(page), count=count), page)

    def links(self, page: Page, *, preceded: bool, followed: bool) -> Iterator[tuple[str, str]]:
        """The links of a page to its neighbours."""
        url, query = self.request.url, self.request.query_params
        return page_links(url, query, first=page.first, last=page.last, preceded=preceded, followed=followed)

    async def single(self, numbering: Numbering, found: AbstractBitMap) -> Answer:
        """The one record found; NotFound without any."""
        # Asked of the ledger once more: one look that is forgotten elsewhere must not be enough to tell a record.
        page = await pages.read(self.snapshot, self.view, numbering, found & self.view.of(numbering))
        if not page.parts:
            raise NotFound
        return Answer([answers.one(page, numbering, self.asked.version)], page)


Answering = Callable[[Exchange], Awaitable[Answer]]


async def answer(request: Request, asked: Asked, answering: Answering) -> Response:
    """Answer an application that sees the record in the path; whoever else asks learns nothing."""
    credentials = await bearer(request)
    if credentials is None:
        raise Unauthenticated
    tokens, text = tokens_of(request), credentials.credentials
    district_id = None if tokens.is_operators(text) else district_of(text)
    if district_id is None:
        await application(await authenticate(request, database_of(request), tokens, credentials))
        raise Unauthenticated  # the token of an application names its district
    parameters, fault = _parameters(request, asked)
    places = _places(request, asked, parameters)
    digest = tokens.digest(text)
    # With a validator the record is perhaps not read at all.
    alone = asked.alone and "If-None-Match" not in request.headers
    if alone and places.record and (single := await _single(request, district_id, digest, places)):
        caller = await _admitted(request, single.entered)
        answers.remember(request.state, single.view)
        single.view.check_open()
        numbering, _ = places.record
        found, view = Answer([answers.one(single.page, numbering, asked.version)], single.page), single.view
    else:
        async with AsyncExitStack() as reading:
            snapshot = await reading.enter_async_context(await _snapshot(request, district_id, digest, parameters))
            entered = await views.enter(snapshot, district_id, digest, places)
            if entered is None:
                raise Unauthenticated
            caller = await _admitted(request, entered)
            view = await views.visit(snapshot, entered, places)
            singles.remember(digest, entered)
            answers.remember(request.state, view)
            if fault is not None:
                raise fault
            view.check_open()
            if asked.record and not view.sees(asked.record, view.record):
                raise NotFound
            if unchanged := validators.unchanged(request, caller, view, district=asked.district):
                return unchanged
            found = await answering(Exchange(asked, request, snapshot, view, parameters))
            if found.coming is not None:
                await request.scope[UNTIL_SENT].enter_async_context(still := reading.pop_all())
                await _disclose(request, caller, view, found.page)
                return streamed(request, found.coming, _headers(request, caller, view, asked), still, caller)
    await _disclose(request, caller, view, found.page)
    return await sent(request, found.parts, _headers(request, caller, view, asked))


def _headers(request: Request, caller: ApplicationCaller, view: View, asked: Asked) -> dict[str, str]:
    return validators.headers(request, caller, view, district=asked.district)


async def _snapshot(
    request: Request, district_id: UUID, digest: bytes, parameters: ListParameters
) -> AbstractAsyncContextManager[Snapshot]:
    database, large = database_of(request), parameters.limit > READ_AT_ONCE
    if large:
        # Until it is sent, not only read: what its client has not taken yet is held in memory.
        await request.scope[UNTIL_SENT].enter_async_context(database.page_slots.taken(district_id))
    return database.snapshot(district_id, digest, large=large)


async def _single(request: Request, district_id: UUID, digest: bytes, places: Places) -> Single | None:
    async with database_of(request).drivers.lend() as driver:
        return await singles.read(driver, district_id, digest, places)


def _parameters(request: Request, asked: Asked) -> tuple[ListParameters, SharingServiceError | None]:
    """The parameters of a list, and what is wrong with them, which only an application is told."""
    try:
        if asked.feed:
            return parse_feed(request.query_params), None
        query = request.query_params if asked.listed else NO_QUERY
        return parse(query, roles=asked.roles, primary=asked.primary), None
    except (BadParameter, TooLarge) as fault:
        return parse(NO_QUERY), fault


def _places(request: Request, asked: Asked, parameters: ListParameters) -> Places:
    named = canonical_id(request.path_params["id"]) if asked.record else None
    record = (asked.record, named) if asked.record and named else None
    if parameters.school is not None:
        record = ("schools", parameters.school)
    after, before = parameters.starting_after, parameters.ending_before
    return Places(
        record=record,
        after=(asked.listed, after) if asked.listed and after else None,
        before=(asked.listed, before) if asked.listed and before else None,
    )


async def _admitted(request: Request, entered: Mapping[str, Any]) -> ApplicationCaller:
    """The application whose token entered, if it does not call too often."""
    caller = caller_from(entered)
    await admit(request, caller)
    return await application(caller)


async def _disclose(request: Request, caller: ApplicationCaller, view: View, page: Page | None) -> None:
    if page is None or not page.persons or request.method == "HEAD":  # which carries none of them
        return
    if caller.token_id is None:
        raise Unauthenticated  # a disclosure names the token that it went to
    disclosures: Disclosures = request.app.state.disclosures
    disclosed = Disclosed(
        application_id=caller.application_id,
        token_id=caller.token_id,
        route=request.scope["route"].path,
        revision=view.revision,
        # Persons that a section or a contact only refers to are disclosed by their ids.
        field_groups=view.fields.of_disclosure(page.kinds & {*PEOPLE}),
        persons=page.persons.serialize(),
    )
    await disclosures.record(caller.district_id, disclosed)
    usage_of(request).count(caller, len(page.persons))
