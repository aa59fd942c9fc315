"""The feed of the partner API: what changed for an application, as Clever's events tell it."""

from typing import Final

from pyroaring import AbstractBitMap, BitMap

from sharing_service.api import clever_answers as answers
from sharing_service.api.clever_exchange import Answer, Exchange
from sharing_service.api.clever_parameters import RECORD_TYPES, canonical_id
from sharing_service.delivery import feed_entries, feed_pages, relations
from sharing_service.delivery.feed import END, place_of
from sharing_service.delivery.feed_entries import Wanted
from sharing_service.delivery.feed_pages import EventPage
from sharing_service.delivery.relations import RELATIONS
from sharing_service.roster.catalogue import Kind, Numbering

OF_SCHOOLS: Final = tuple(relation for relation in RELATIONS if relation.parent == "schools")


async def listed(exchange: Exchange) -> Answer:
    """The asked page of the feed."""
    snapshot, view, parameters = exchange.snapshot, exchange.view, exchange.parameters
    wanted = Wanted(_kinds(exchange), await _at_school(exchange))
    found = await _page(exchange, wanted)
    links = exchange.links(found.page, preceded=found.preceded, followed=found.followed)
    count = await feed_entries.count(snapshot, view, wanted) if parameters.count else None
    return Answer(answers.several(found.page, links=links, count=count), found.page)


async def single(exchange: Exchange) -> Answer:
    """The event in the path; NotFound if the feed does not have it, or may not tell it any more."""
    event_id = canonical_id(exchange.request.path_params["id"])
    place = None if event_id is None else place_of(event_id)
    page = await feed_pages.single(exchange.snapshot, exchange.view, place)
    link = ("self", f"/{exchange.asked.version}/events/{page.first}")
    return Answer([answers.enveloped(b"".join(page.parts), [link])], page)


async def _page(exchange: Exchange, wanted: Wanted) -> EventPage:
    snapshot, view, parameters = exchange.snapshot, exchange.view, exchange.parameters
    uri, limit = f"/{exchange.asked.version}/events/", parameters.limit
    before = None if parameters.ending_before is None else place_of(parameters.ending_before)
    if parameters.last or before is not None:
        return await feed_pages.backwards(snapshot, view, wanted, before or END, limit=limit, uri=uri)
    after = None if parameters.starting_after is None else place_of(parameters.starting_after)
    return await feed_pages.onwards(snapshot, view, wanted, after, limit=limit, uri=uri)


def _kinds(exchange: Exchange) -> tuple[Kind, ...]:
    types = exchange.parameters.record_types
    return tuple(kind for name in types for kind in RECORD_TYPES[name]) if types else tuple(Kind)


async def _at_school(exchange: Exchange) -> dict[Numbering, AbstractBitMap] | None:
    """The shared records at the asked school; none if that is not shared."""
    if exchange.parameters.school is None:
        return None
    view, school = exchange.view, exchange.view.record
    found: dict[Numbering, AbstractBitMap] = {numbering: BitMap() for numbering in answers.PATHS}
    if school is not None and view.sees("schools", school):
        found["schools"] = BitMap([school])
        for relation in OF_SCHOOLS:
            found[relation.child] = await relations.follow(exchange.snapshot, view, relation, school)
    return found
