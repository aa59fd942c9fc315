"""How deep a body is nested, told from its bytes, and what is refused as too deep."""

import json
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing_service.api.nesting import DEEPEST, MOST, is_too_deep
from tests.api.test_problems import problem
from tests.factories.service import Service

JSON = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=50,
)


def depth_of(value: object) -> int:
    """The depth of a value, looked at one by one."""
    match value:
        case list():
            return 1 + max(map(depth_of, value), default=0)
        case dict():
            return 1 + max(map(depth_of, value.values()), default=0)
        case _:
            return 0


@given(value=JSON, around=st.integers(DEEPEST - 8, DEEPEST), ascii_only=st.booleans())
def test_a_body_is_as_deep_as_it_is(value: object, around: int, ascii_only: bool) -> None:
    """Whatever stands in its texts, a body is too deep exactly if it has more than 32 lists and objects in each other.

    Catches brackets, quotes and escapes in texts that are taken for those around them.
    """
    for number in range(around):
        value = [value, "]"] if number % 2 else {'"[': "\\", "]": value}
    body = json.dumps(value, ensure_ascii=ascii_only, indent=around % 3).encode()

    assert is_too_deep(body) == (depth_of(value) > DEEPEST)


@pytest.mark.parametrize(
    ("body", "too_deep"),
    [
        (b"", False),
        (b"[" * DEEPEST, False),
        (b"[" * (DEEPEST + 1), True),
        (b"[]" * MOST, False),
        (b"[]" * MOST + b"[", True),
        (b'"' + b"[" * 100, False),
        (b'"' + b"[" * 100 + b"\\", False),
        (b'"\\"' + b"[" * 100, False),
        (b'"\\\\"' + b"[" * 100, True),
        (b"]" * 100 + b"[" * 100, False),
    ],
)
def test_bodies_that_are_no_json(body: bytes, too_deep: bool) -> None:
    """What a parser would refuse is measured as far as it makes sense, and nothing of it is an error."""
    assert is_too_deep(body) == too_deep


@pytest.mark.parametrize("unit", [b"[", b'"', b'\\"', b'"[",', b"{[", b'"\\'])
@pytest.mark.asvs("V15.2.2")
def test_measuring_takes_no_long(unit: bytes) -> None:
    """The largest body is measured in about the time in which it would be parsed, whatever it is made of.

    Catches a pattern that looks at the same text again for each of its quotes.
    """
    body = b"[" * (DEEPEST + 1) + unit * (2**22 // len(unit))
    begin = time.process_time()
    is_too_deep(body)
    assert time.process_time() - begin < 2


def nested(depth: int) -> bytes:
    """JSON of so many lists and objects within each other, with brackets in its texts."""
    lists = depth // 2
    return b'{"]}\\"}":' * (depth - lists) + b"[" * lists + b'"[{"' + b"]" * lists + b"}" * (depth - lists)


@pytest.mark.parametrize(("depth", "code"), [(32, "invalid"), (33, "too_deep"), (100_000, "too_deep")])
@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.asvs("V2.4.1", "V15.2.2")
async def test_deep_bodies(service: Service, depth: int, code: str, pieces: int) -> None:
    """A body of more than 32 lists and objects within each other is refused before it is parsed, however it is sent.

    Catches a parser that goes as deep as it is told to, and one that counts the brackets of texts.
    """
    body = nested(depth)
    size = -(-len(body) // pieces)

    async def sent() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    headers = service.operator | {"Content-Type": "application/json"}
    response = await service.client.post("/v1/districts", content=sent(), headers=headers)

    assert problem(response, 422)["code"] == code
    assert len(response.content) < 1000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
async def test_other_encodings(service: Service, encoding: str) -> None:
    """A body is UTF-8: in any other encoding it cannot be read, whatever the parser would make of it.

    Catches a depth that is counted in bytes of one encoding and parsed in another.
    """
    body = ('["\N{FOR ALL}",' + "[" * 200 + "]" * 201).encode(encoding)
    headers = service.operator | {"Content-Type": "application/json"}
    response = await service.client.post("/v1/districts", content=body, headers=headers)

    assert problem(response, 422)["code"] == "invalid_json"
