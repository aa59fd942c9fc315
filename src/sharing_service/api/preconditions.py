"""`ETag` and `If-Match` of sharing permissions (RFC 9110 sections 8.8.3 and 13.1.1)."""

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Header

from sharing_service.sharing.versions import Expected

# A comma may stand inside a tag, so tags are found rather than split.
TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}")

TAGGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": {"ETag": {"description": "Tag of the version, for If-Match.", "schema": {"type": "string"}}}}
}
"""Describes an answer that carries the tag of a version."""


def etag(version: int) -> dict[str, str]:
    """The header with the strong tag of a version."""
    return {"ETag": f'"{version}"'}


def expected(
    if_match: Annotated[list[str] | None, Header(description="The ETag of the version to change.")] = None,
) -> Expected | None:
    """What the request demands; tags that are weak or none of ours fit no version."""
    if if_match is None:
        return None
    given = ",".join(if_match).strip()
    if given == "*":
        return Expected(anything=True)
    strong = (tag for weak, tag in TAG.findall(given) if not weak)
    return Expected(versions=frozenset(int(tag) for tag in strong if NUMBER.fullmatch(tag)))


IfMatch = Annotated[Expected | None, Depends(expected)]
