"""One request of an application: the snapshot that it reads, and its answer, sent when the disclosure is on record."""

from dataclasses import dataclass

from fastapi import Request, Response
from pyroaring import AbstractBitMap
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import ApplicationCaller
from sharing_service.api import clever_answers as answers
from sharing_service.api.clever_parameters import ListParameters, canonical_id, page_links, window_of
from sharing_service.database import enter_district
from sharing_service.delivery import disclosures, pages, views
from sharing_service.delivery.pages import Page
from sharing_service.delivery.views import Places, View
from sharing_service.errors import NotFound, Unauthenticated
from sharing_service.roster.catalogue import PEOPLE, Group, Numbering


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, the snapshot from which it is answered, and who asked."""

    version: str
    request: Request
    session: AsyncSession
    caller: ApplicationCaller

    async def open(
        self,
        *,
        record: Numbering | None = None,
        listed: Numbering | None = None,
        parameters: ListParameters | None = None,
    ) -> View:
        """The application's view; NotFound unless it sees the record that the path names in this numbering."""
        named = canonical_id(self.request.path_params["id"]) if record else None
        after, before = (parameters.starting_after, parameters.ending_before) if parameters else (None, None)
        places = Places(
            record=(record, named) if record and named else None,
            after=(listed, after) if listed and after else None,
            before=(listed, before) if listed and before else None,
        )
        await enter_district(self.session, self.caller.district_id)
        view = await views.visit(self.session, self.caller.district_id, self.caller.application_id, places)
        answers.remember(self.request.state, view)
        view.check_open()
        if record and not view.sees(record, view.record):
            raise NotFound
        return view

    async def page(
        self, view: View, numbering: Numbering, found: AbstractBitMap, parameters: ListParameters
    ) -> Response:
        """The asked page of a list."""
        window = window_of(found, parameters, view)
        page = await pages.read(self.session, view, numbering, window.ordinals)
        ids = [document.id for document in page.documents]
        links = page_links(self.request.url, self.request.query_params, window, ids)
        count = window.total if parameters.count else None
        body = answers.several(page.documents, numbering, version=self.version, links=links, count=count)
        return await self.send(view, body, page)

    async def single(self, view: View, numbering: Numbering, found: AbstractBitMap) -> Response:
        """The one record found; NotFound without any."""
        page = await pages.read(self.session, view, numbering, found)
        if not page.documents:
            raise NotFound
        return await self.send(view, answers.one(page.documents[0], numbering, self.version), page)

    async def send(self, view: View, body: bytes, page: Page | None = None) -> Response:
        """Answer, after the persons in the answer are on record."""
        # The connection goes back first: requests that each hold one and wait for another would wait for ever.
        await self.session.commit()
        if page and page.persons:
            await self._disclose(view, page)
        return Response(body, headers=answers.headers(self.request.state), media_type="application/json")

    async def _disclose(self, view: View, page: Page) -> None:
        if self.caller.token_id is None:
            raise Unauthenticated  # a disclosure names the token that it went to
        shown = {document.kind for document in page.documents} & set(PEOPLE)
        await disclosures.record(
            self.request.app.state.database,
            district_id=self.caller.district_id,
            application_id=self.caller.application_id,
            token_id=self.caller.token_id,
            route=self.request.scope["route"].path,
            revision=view.grant.revision,
            # Persons that a section or a contact only refers to are disclosed by their ids.
            field_groups=sorted({Group.IDENTITY.value, *view.fields.every_group(shown)}),
            persons=page.persons,
        )
