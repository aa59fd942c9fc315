"""How partner answers are sent: compressed to those who ask for it, and to HEAD without a body."""

import gzip

import httpx2
import pytest

from sharing_service.api.clever_sending import BRIEF, WORTH, accepts_gzip
from sharing_service.roster.catalogue import Kind
from tests.api.test_clever_conditional import ROUTES
from tests.api.test_clever_costs import filled
from tests.api.test_clever_disclosure import disclosed
from tests.factories.partner import Partner, Readers, Riverbend
from tests.factories.roster import Roster
from tests.factories.service import EVERY_FIELD


def headers_of(answer: httpx2.Response) -> dict[str, str]:
    """Every header but the time."""
    return {name: value for name, value in answer.headers.items() if name != "date"}


@pytest.mark.parametrize("path", ROUTES)
async def test_a_head_is_a_get_without_body(readers: Readers, riverbend: Riverbend, path: str) -> None:
    """HEAD has the status and headers of GET, its length too, no body, and nothing that would be a disclosure.

    Catches a record of a disclosure that never happened, and a HEAD that sends what it should only describe.
    """
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    path = filled(path, riverbend)
    for encoding in ("identity", "gzip"):
        got = await reader.ask(path, {"Accept-Encoding": encoding})
        before = len(await disclosed(readers))
        head = await reader.ask(path, {"Accept-Encoding": encoding}, method="HEAD")
        assert (head.status_code, head.content, headers_of(head)) == (200, b"", headers_of(got))
        assert len(await disclosed(readers)) == before
    assert (await reader.ask(path, {"If-None-Match": got.headers["ETag"]}, method="HEAD")).status_code == 304


async def test_a_head_is_refused_as_a_get_is(readers: Readers, riverbend: Riverbend) -> None:
    """Refusals of HEAD have the status and headers of those of GET, and no body."""
    reader = await readers.connect(riverbend.roster.everything())
    for path in ("/users/x", "/users?limit=0", "/users?limit=10001"):
        got, head = await reader.ask(path), await reader.ask(path, method="HEAD")
        assert (head.status_code, head.content, headers_of(head)) == (got.status_code, b"", headers_of(got))
    assert (await readers.client.head("/v3.1/users")).status_code == 401


async def test_compressed_and_plain_are_the_same(readers: Readers) -> None:
    """A client that accepts gzip gets the same bytes compressed, a small and a large page; their length is told.

    Catches parts of a page that are compressed apart or left out.
    """
    roster = Roster()
    school = roster.record(Kind.SCHOOLS, name="North")
    for number in range(700):
        roster.person(Kind.STUDENTS, schools=[school], sis_id=str(number), last_name="Árbol")
    async with readers.by_hand.write() as session:
        await roster.publish(session)
        token = await roster.grant(session, readers.app.state.tokens, sets=roster.everything(), fields=EVERY_FIELD)
    reader = Partner(readers.client, token)
    lengths = []
    for limit in (1, 10, 1000):
        plain, packed = [
            await reader.ask(f"/users?limit={limit}", {"Accept-Encoding": coding}) for coding in ("identity", "gzip")
        ]
        lengths.append(len(plain.content))
        assert packed.content == plain.content
        assert int(plain.headers["Content-Length"]) == len(plain.content)
        assert "Content-Encoding" not in plain.headers
        assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
        compressed = packed.headers.get("Content-Encoding") == "gzip"
        assert compressed == (len(plain.content) >= WORTH)
        if compressed:
            assert int(packed.headers["Content-Length"]) < len(plain.content) / 4
    assert lengths[0] < WORTH < lengths[1] < BRIEF < lengths[2]
    raw = readers.client.stream("GET", "/v3.1/users?limit=1000", headers=reader.headers | {"Accept-Encoding": "gzip"})
    async with raw as answer:
        sent = b"".join([part async for part in answer.aiter_raw()])
    assert len(sent) == int(answer.headers["Content-Length"])
    assert gzip.decompress(sent) == plain.content


@pytest.mark.parametrize(
    ("accepted", "means"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.8, *;q=0.1", True),
        ("deflate,gzip ; q=0.001", True),
        ("gzip;q=1", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("deflate, gzip; q=0.000", False),
        ("xgzip, gzipx", False),
        ("*", False),
    ],
)
def test_who_accepts_gzip(accepted: str, means: bool) -> None:
    """Gzip is sent to whoever names it with a weight above zero."""
    assert accepts_gzip(accepted) is means
