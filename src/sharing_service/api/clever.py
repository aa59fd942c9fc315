"""The partner API: what Clever's data API v3.0 and v3.1 answer, for one application's part of a roster.

Paths come from tables: five collections, and the relations between their records.
"""

from dataclasses import replace
from typing import Final

from fastapi import Request, Response, Security
from pydantic import BaseModel
from pyroaring import AbstractBitMap, BitMap

from sharing_service.api import clever_answers as answers
from sharing_service.api import clever_events
from sharing_service.api.clever_answers import PATHS
from sharing_service.api.clever_exchange import Answer, Answering, Asked, Exchange, answer
from sharing_service.api.clever_models import (
    LISTS,
    ONES,
    DistrictResponse,
    DistrictsResponse,
    EventResponse,
    EventsResponse,
    MeResponse,
    others,
)
from sharing_service.api.clever_parameters import (
    FEED,
    IF_NONE_MATCH,
    PAGING,
    PATH_ID,
    ROLES,
    documented,
    flag,
    self_link,
)
from sharing_service.api.clever_routes import PartnerRouter
from sharing_service.api.dependencies import bearer
from sharing_service.delivery import relations
from sharing_service.delivery.relations import RELATIONS, Relation
from sharing_service.delivery.views import View
from sharing_service.errors import NotFound
from sharing_service.roster.catalogue import Numbering

VERSIONS: Final = ("v3.0", "v3.1")


def add_version(router: PartnerRouter, version: str) -> None:
    """Add every path of one version; both versions answer alike."""

    def add(path: str, asked: Asked, answering: Answering, model: type[BaseModel], *parameters: str) -> None:
        async def endpoint(request: Request) -> Response:
            return await answer(request, asked, answering)

        besides = others(given=bool(parameters), listed=asked.listed is not None, feed=asked.feed)
        shown = [IF_NONE_MATCH, *([PATH_ID] if "{id}" in path else [])]
        router.add_api_route(
            f"/{version}{path}",
            endpoint,
            tags=[f"partner API {version}"],
            dependencies=[Security(bearer)],
            response_class=Response,
            responses={200: {"model": model}, **besides},
            summary=f"GET {path}",
            operation_id=f"partner_{version}{path}".translate(str.maketrans("/.", "__", "{}")),
            openapi_extra={"parameters": [*shown, *documented(*parameters)]},
        )

    add("/events", Asked(version, feed=True), clever_events.listed, EventsResponse, *FEED)
    add("/events/{id}", Asked(version), clever_events.single, EventResponse)
    add("/me", Asked(version), _me, MeResponse)
    add("/districts", Asked(version, district=True), _districts, DistrictsResponse, "count")
    add("/districts/{id}", Asked(version, district=True), _district, DistrictResponse)
    for numbering, path in PATHS.items():
        roles = numbering == "people"
        listed = Asked(version, listed=numbering, roles=roles)
        add(f"/{path}", listed, _collection(numbering), LISTS[numbering], *PAGING, *(["role"] if roles else []))
        record = Asked(version, record=numbering)
        add(f"/{path}/{{id}}", replace(record, alone=True), _record(numbering), ONES[numbering])
        add(f"/{path}/{{id}}/district", replace(record, district=True), _district_of_record, DistrictResponse)
    for relation in RELATIONS:
        path = f"/{PATHS[relation.parent]}/{{id}}/{relation.name}"
        if relation.single:
            add(path, Asked(version, record=relation.parent), _related_one(relation), ONES[relation.child])
        else:
            filters = [*(["role"] if relation.roles else []), *(["primary"] if relation.primary else [])]
            asked = Asked(version, relation.parent, relation.child, relation.roles, relation.primary)
            add(path, asked, _related(relation), LISTS[relation.child], *PAGING, *filters)


def _collection(numbering: Numbering) -> Answering:
    async def answered(exchange: Exchange) -> Answer:
        view, role = exchange.view, exchange.parameters.role
        return await exchange.page(numbering, view.of(numbering) if role is None else _of_role(view, role))

    return answered


def _record(numbering: Numbering) -> Answering:
    async def answered(exchange: Exchange) -> Answer:
        return await exchange.single(numbering, _only(exchange.view.record))

    return answered


def _related(relation: Relation) -> Answering:
    async def answered(exchange: Exchange) -> Answer:
        snapshot, view, parameters = exchange.snapshot, exchange.view, exchange.parameters
        [parent] = _only(view.record)
        found: AbstractBitMap = await relations.follow(snapshot, view, relation, parent)
        if parameters.role is not None:
            found = found & _of_role(view, parameters.role)
        if parameters.primary:
            found = await relations.primary(snapshot, view, relation, parent, found)
        return await exchange.page(relation.child, found)

    return answered


def _related_one(relation: Relation) -> Answering:
    async def answered(exchange: Exchange) -> Answer:
        [parent] = _only(exchange.view.record)
        found = await relations.follow(exchange.snapshot, exchange.view, relation, parent)
        return await exchange.single(relation.child, found)

    return answered


async def _district(exchange: Exchange) -> Answer:
    if exchange.request.path_params["id"] != str(exchange.view.district_id):
        raise NotFound
    return await _district_of_record(exchange)


async def _district_of_record(exchange: Exchange) -> Answer:
    view = exchange.view
    links = [("self", f"/{exchange.asked.version}/districts/{view.district_id}")]
    return Answer([answers.enveloped(answers.district(view).encode(), links)])


async def _districts(exchange: Exchange) -> Answer:
    view, request = exchange.view, exchange.request
    uri = f"/{exchange.asked.version}/districts/{view.district_id}"
    data = f'[{{"data":{answers.district(view)},"uri":"{uri}"}}]'
    counted = {"count": 1} if flag(request.query_params, "count") else {}
    return Answer([answers.enveloped(data.encode(), [self_link(request.url)], **counted)])


async def _me(exchange: Exchange) -> Answer:
    district_id = str(exchange.view.district_id)
    data = {"id": district_id, "district": district_id, "type": "district", "authorized_by": "district"}
    links = [("self", "/me"), ("canonical", f"/{exchange.asked.version}/districts/{district_id}")]
    return Answer([answers.enveloped(answers.compact(data).encode(), links, type="district")])


def _of_role(view: View, role: str) -> AbstractBitMap:
    kind = ROLES[role]
    return BitMap() if kind is None else view.of_kind(kind)


def _only(ordinal: int | None) -> BitMap:
    return BitMap() if ordinal is None else BitMap([ordinal])


router = PartnerRouter()
for _version in VERSIONS:
    add_version(router, _version)
