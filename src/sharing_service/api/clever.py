"""The partner API: what Clever's data API v3.0 and v3.1 answer, for one application's part of a roster.

Paths come from tables: five collections, and the relations between their records.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from pyroaring import AbstractBitMap, BitMap

from sharing_service.api import clever_answers as answers
from sharing_service.api.clever_answers import PATHS, PartnerRoute
from sharing_service.api.clever_exchange import Exchange
from sharing_service.api.clever_models import LISTS, ONES, REFUSALS, DistrictResponse, DistrictsResponse, MeResponse
from sharing_service.api.clever_parameters import (
    PAGING,
    PATH_ID,
    ROLES,
    ListParameters,
    documented,
    parse,
    self_link,
)
from sharing_service.api.dependencies import ApplicationToken, ReadSession, application
from sharing_service.delivery import relations
from sharing_service.delivery.relations import RELATIONS, Relation
from sharing_service.delivery.views import View
from sharing_service.errors import NotFound
from sharing_service.roster.catalogue import Numbering

VERSIONS: Final = ("v3.0", "v3.1")
Answering = Callable[[Exchange], Awaitable[Response]]


def router_of(version: str) -> APIRouter:
    """Every path of one version; both versions answer alike."""
    router = APIRouter(
        prefix=f"/{version}",
        tags=[f"partner API {version}"],
        route_class=PartnerRoute,
        dependencies=[Depends(application)],
    )

    async def exchange_of(request: Request, session: ReadSession, caller: ApplicationToken) -> Exchange:
        return Exchange(version, request, session, caller)

    def add(path: str, answering: Answering, model: type[BaseModel], *parameters: str) -> None:
        async def endpoint(exchange: Annotated[Exchange, Depends(exchange_of)]) -> Response:
            return await answering(exchange)

        shown = [PATH_ID] if "{id}" in path else []
        router.add_api_route(
            path,
            endpoint,
            response_class=Response,
            responses={200: {"model": model}, **REFUSALS},
            summary=f"GET {path}",
            operation_id=f"partner_{version}{path}".translate(str.maketrans("/.", "__", "{}")),
            openapi_extra={"parameters": [*shown, *documented(*parameters)]},
        )

    add("/me", _me, MeResponse)
    add("/districts", _districts, DistrictsResponse, "count")
    add("/districts/{id}", _district, DistrictResponse)
    for numbering, path in PATHS.items():
        role = ("role",) if numbering == "people" else ()
        add(f"/{path}", _collection(numbering), LISTS[numbering], *PAGING, *role)
        add(f"/{path}/{{id}}", _record(numbering), ONES[numbering])
        add(f"/{path}/{{id}}/district", _district_of(numbering), DistrictResponse)
    for relation in RELATIONS:
        path = f"/{PATHS[relation.parent]}/{{id}}/{relation.name}"
        if relation.single:
            add(path, _related_one(relation), ONES[relation.child])
        else:
            filters = [*(["role"] if relation.roles else []), *(["primary"] if relation.primary else [])]
            add(path, _related(relation), LISTS[relation.child], *PAGING, *filters)
    return router


def _collection(numbering: Numbering) -> Answering:
    async def answer(exchange: Exchange) -> Response:
        parameters = parse(exchange.request.query_params, roles=numbering == "people")
        view = await exchange.open(listed=numbering, parameters=parameters)
        found = view.of(numbering)
        if numbering == "people":
            found = _with_role(found, view, parameters)
        return await exchange.page(view, numbering, found, parameters)

    return answer


def _record(numbering: Numbering) -> Answering:
    async def answer(exchange: Exchange) -> Response:
        view = await exchange.open(record=numbering)
        return await exchange.single(view, numbering, _only(view.record))

    return answer


def _related(relation: Relation) -> Answering:
    async def answer(exchange: Exchange) -> Response:
        parameters = parse(exchange.request.query_params, roles=relation.roles)
        view = await exchange.open(record=relation.parent, listed=relation.child, parameters=parameters)
        [parent] = _only(view.record)
        found: AbstractBitMap = await relations.follow(exchange.session, view, relation, parent)
        if relation.roles:
            found = _with_role(found, view, parameters)
        if relation.primary and parameters.primary:
            found = await relations.primary(exchange.session, view, relation, parent, found)
        return await exchange.page(view, relation.child, found, parameters)

    return answer


def _related_one(relation: Relation) -> Answering:
    async def answer(exchange: Exchange) -> Response:
        view = await exchange.open(record=relation.parent)
        [parent] = _only(view.record)
        found = await relations.follow(exchange.session, view, relation, parent)
        return await exchange.single(view, relation.child, found)

    return answer


def _district_of(numbering: Numbering) -> Answering:
    async def answer(exchange: Exchange) -> Response:
        return await _send_district(exchange, await exchange.open(record=numbering))

    return answer


async def _district(exchange: Exchange) -> Response:
    view = await exchange.open()
    if exchange.request.path_params["id"] != str(view.district.id):
        raise NotFound
    return await _send_district(exchange, view)


async def _send_district(exchange: Exchange, view: View) -> Response:
    links = [("self", f"/{exchange.version}/districts/{view.district.id}")]
    return await exchange.send(view, answers.enveloped(answers.district(view), links))


async def _districts(exchange: Exchange) -> Response:
    view = await exchange.open()
    uri = f"/{exchange.version}/districts/{view.district.id}"
    data = f'[{{"data":{answers.district(view)},"uri":"{uri}"}}]'
    counted = {"count": 1} if exchange.request.query_params.get("count") == "true" else {}
    return await exchange.send(view, answers.enveloped(data, [self_link(exchange.request.url)], **counted))


async def _me(exchange: Exchange) -> Response:
    view = await exchange.open()
    district_id = str(view.district.id)
    data = {"id": district_id, "district": district_id, "type": "district", "authorized_by": "district"}
    links = [("self", "/me"), ("canonical", f"/{exchange.version}/districts/{district_id}")]
    return await exchange.send(view, answers.enveloped(answers.compact(data), links, type="district"))


def _with_role(found: AbstractBitMap, view: View, parameters: ListParameters) -> AbstractBitMap:
    if parameters.role is None:
        return found
    kind = ROLES[parameters.role]
    return BitMap() if kind is None else found & view.of_kind(kind)


def _only(ordinal: int | None) -> BitMap:
    return BitMap() if ordinal is None else BitMap([ordinal])


router = APIRouter()
for _version in VERSIONS:
    router.include_router(router_of(_version))
