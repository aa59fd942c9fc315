"""A partner that reads every page of its users."""

import json
from collections.abc import AsyncIterator
from typing import Final

import httpx2

from tests.factories.service import Connected

PLAIN: Final = "identity"
"""The encoding of what is measured against bytes that nobody compresses."""


async def crawl(application: Connected, *, encoding: str = PLAIN, **parameters: str) -> AsyncIterator[bytes]:
    """The bodies of all pages of users."""
    headers = {**application.headers, "Accept-Encoding": encoding}
    path: str | None = str(httpx2.URL("/v3.1/users", params={"limit": "10000", **parameters}))
    while path is not None:
        response = await application.district.service.client.get(path, headers=headers)
        assert response.status_code == 200, response.text
        body = response.content
        yield body
        # The links end the answer; to parse its records would be the time of the client.
        links = json.loads(b"{" + body[body.rindex(b'"links":') :])["links"]
        path = next((link["uri"] for link in links if link["rel"] == "next"), None)
