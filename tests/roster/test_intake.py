"""Uploads on their way into the database and out again."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import enter_district
from sharing_service.errors import Invalid, TooLarge
from sharing_service.roster import intake
from sharing_service.roster.multipart import MAX_PARTS
from sharing_service.roster.sync_models import UploadChunk

DISTRICT, SYNC = uuid4(), uuid4()
TYPE = "multipart/form-data; boundary=frontier"


@pytest.fixture(autouse=True)
async def in_district(session: AsyncSession) -> None:
    """Work within one district."""
    await enter_district(session, DISTRICT)


async def arriving(*chunks: bytes) -> AsyncIterator[bytes]:
    """A body as it arrives."""
    for chunk in chunks:
        yield chunk


def part(disposition: str, data: bytes, *headers: str) -> bytes:
    """One part of a body."""
    lines = [f"Content-Disposition: form-data; {disposition}", *headers, "", ""]
    return b"--frontier\r\n" + "\r\n".join(lines).encode() + data + b"\r\n"


END = b"--frontier--\r\n"


async def store(session: AsyncSession, *chunks: bytes, limit: int = 10**9, content_type: str = TYPE) -> int:
    """Store a multipart body."""
    return await intake.store_multipart(
        session, DISTRICT, SYNC, content_type=content_type, chunks=arriving(*chunks), limit=limit
    )


async def stored(session: AsyncSession, sync_id: UUID = SYNC) -> Sequence[tuple[str, bool, bytes]]:
    """Name, kind and content of each stored file."""
    found = []
    for file in await intake.files_of(session, DISTRICT, sync_id):
        with await intake.open_file(session, DISTRICT, sync_id, file.position) as copy:
            found.append((file.name, file.is_archive, copy.read()))
    return found


@pytest.mark.parametrize("step", [1_000, 65_536, 3_000_000])
async def test_file_in_chunks(session: AsyncSession, step: int) -> None:
    """A file comes out as it went in, kept in chunks of one mebibyte however it arrived."""
    data = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(80_000))
    pieces = [data[start : start + step] for start in range(0, len(data), step)]

    size = await intake.store_file(
        session, DISTRICT, SYNC, position=0, name="a.zip", is_archive=True, chunks=arriving(*pieces), limit=len(data)
    )

    own = select(func.length(UploadChunk.data)).where(UploadChunk.district_id == DISTRICT)
    sizes = await session.scalars(own.order_by(UploadChunk.number))
    assert size == len(data)
    assert sizes.all() == [intake.CHUNK, intake.CHUNK, len(data) - 2 * intake.CHUNK]
    assert await stored(session) == [("a.zip", True, data)]


@pytest.mark.asvs("V5.2.1")
async def test_file_past_the_limit(session: AsyncSession) -> None:
    """A file one byte past the limit is refused while it arrives; the rest is not asked for."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    with pytest.raises(TooLarge):
        await intake.store_file(
            session, DISTRICT, SYNC, position=0, name="a", is_archive=False, chunks=endless(), limit=9_999
        )


@pytest.mark.parametrize("whole", [True, False])
async def test_an_upload_that_breaks_off_leaves_the_session_alone(session: AsyncSession, whole: bool) -> None:
    """What is stored when an upload ends is stored to its end, so that the session may say what became of it.

    Catches a chunk that is still on its way when the connection is used for something else.
    """
    chunk = bytes(intake.CHUNK)

    async def broken() -> AsyncIterator[bytes]:
        yield chunk
        yield chunk
        raise ConnectionError("The client is gone.")

    with pytest.raises((ConnectionError, TooLarge)):
        await intake.store_file(
            session,
            DISTRICT,
            SYNC,
            position=0,
            name="a",
            is_archive=False,
            chunks=broken(),
            limit=len(chunk) * 2 - whole,
        )

    assert await session.scalar(select(func.count()).select_from(UploadChunk)) == (1 if whole else 2)


@pytest.mark.parametrize("step", [1, 7, 10_000])
async def test_multipart(session: AsyncSession, step: int) -> None:
    """Each part is a file, named by its file name or else its field, whatever the sizes in which the body arrives."""
    body = b"".join(
        (
            part('name="file"; filename="schools.csv"', b"a\r\n--front\r\n", "Content-Type: text/csv"),
            part('name="students.csv"', b""),
            part('name="f"; filename="C:\\\\My Files\\\\d\u00e9j\u00e0.zip"', b"--"),
            part('name="f"; filename="x"', b"\r\n", "content-type: application/zip"),
            END,
        )
    )
    count = await store(session, *(body[start : start + step] for start in range(0, len(body), step)))

    assert count == 4
    assert await stored(session) == [
        ("schools.csv", False, b"a\r\n--front\r\n"),
        ("students.csv", False, b""),
        ("d\u00e9j\u00e0.zip", True, b"--"),
        ("x", True, b"\r\n"),
    ]


A = part('name="a"', b"x")
MALFORMED = {
    "empty body": (b"", TYPE),
    "no parts": (END, TYPE),
    "no boundary": (A + END, "multipart/form-data"),
    "long boundary": (A + END, "multipart/form-data; boundary=" + "x" * 1000),
    "other boundary": (A + END, "multipart/form-data; boundary=other"),
    "not multipart at all": (b"School_id,School_name\n", TYPE),
    "ends in a part": (A, TYPE),
    "ends in a header": (b"--frontier\r\nContent-Dispo", TYPE),
    "no disposition": (b"--frontier\r\nContent-Type: text/csv\r\n\r\nx\r\n" + END, TYPE),
    "no name": (part("", b"x") + END, TYPE),
    "NUL in the name": (part('name="a\0b"', b"x") + END, TYPE),
    "name not UTF-8": (part('name="?"', b"x").replace(b"?", b"\xff") + END, TYPE),
    "name too long": (part(f'name="{"x" * 256}"', b"x") + END, TYPE),
    "header too long": (part('name="a"', b"x", "X: " + "y" * 10_000) + END, TYPE),
    "too many headers": (part('name="a"', b"x", *["X: y"] * 50) + END, TYPE),
    "too many parts": (A * (MAX_PARTS + 1) + END, TYPE),
}


@pytest.mark.parametrize(("body", "content_type"), MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.asvs("V5.3.2")
async def test_malformed_multipart(session: AsyncSession, body: bytes, content_type: str) -> None:
    """A body that is not well formed, or whose parts have no usable name, is refused as invalid."""
    with pytest.raises(Invalid):
        await store(session, body, content_type=content_type)


async def test_multipart_at_its_limits(session: AsyncSession) -> None:
    """As many parts as allowed are taken, and the limit counts every byte of the body."""
    body = A * MAX_PARTS + END

    assert await store(session, body, limit=len(body)) == MAX_PARTS
    with pytest.raises(TooLarge):
        await store(session, body, limit=len(body) - 1)
