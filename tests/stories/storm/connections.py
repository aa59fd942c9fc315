"""Clients on bare sockets: they keep a connection for all who ask, or hang up wherever it pleases them."""

import asyncio
import random
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

import httptools

ANSWER_SECONDS: Final = 10
"""Whoever waits longer will never be answered."""
PIECE: Final = 65536
SMALL_WINDOW: Final = 4096
"""Bytes that are received before they are taken: a server still sends when its client hangs up."""
HEAD: Final = 350
"""About the bytes before a body."""
RESET: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER: to close is to reset."""

Address = tuple[str, int]


class Answer:
    """An answer as far as it has come."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.received = bytearray()
        """Every byte, those of the head among them."""
        self.is_whole = False
        self.status: int | None = None
        self._body = bytearray()
        self._parser = httptools.HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """What there is of the body."""
        return bytes(self._body)

    def begins(self, status: int, body: bytes) -> bool:
        """Whether this is what has come of an answer, or all of it if it is whole."""
        return status == self.status and (body == self.body if self.is_whole else body.startswith(self.body))

    def take(self, piece: bytes) -> None:
        """Take what has come."""
        self.received += piece
        self._parser.feed_data(piece)

    def on_headers_complete(self) -> None:
        """The parser knows the status."""
        self.status = self._parser.get_status_code()

    def on_body(self, piece: bytes) -> None:
        """The parser has some of the body."""
        self._body += piece

    def on_message_complete(self) -> None:
        """The parser has met the end."""
        self.is_whole = True


class Line:
    """A connection that is kept, as a proxy keeps it: whoever asks next may be somebody else."""

    def __init__(self, address: Address) -> None:
        """Name the server."""
        self._address = address
        self._socket = _open()

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().sock_connect(self._socket, self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def ask(self, text: bytes) -> Answer:
        """Ask and wait for the whole answer; one that does not come, or breaks off, is not whole."""
        loop, answer = asyncio.get_running_loop(), Answer()
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await loop.sock_sendall(self._socket, text)
                while not answer.is_whole and (piece := await loop.sock_recv(self._socket, PIECE)):
                    answer.take(piece)
        return answer


@dataclass(frozen=True)
class Cut:
    """When a client hangs up."""

    asked: float = 1
    """The part of the request that it sends."""
    seconds: float = 0
    """How long it waits for nothing."""
    received: int = 0
    """Or the bytes that it waits for."""
    resets: bool = False
    """Whether the server learns it by a reset, and not by an end."""


def any_cut(chance: random.Random, *, usual: float, length: int) -> Cut:
    """Hang up at any moment of a request that usually takes so long and is answered so many bytes."""
    resets = chance.random() < 0.5
    match chance.choices(("asking", "waiting", "in the head", "in the body"), (1, 5, 1, 3))[0]:
        case "asking":
            return Cut(asked=chance.random(), resets=resets)
        case "waiting":
            return Cut(seconds=chance.uniform(0, 1.5 * usual), resets=resets)
        case "in the head":
            return Cut(received=chance.randrange(1, HEAD), resets=resets)
        case _:
            return Cut(received=HEAD + chance.randrange(length + 1), resets=resets)


async def hang_up(address: Address, text: bytes, cut: Cut) -> Answer:
    """Ask on a connection of its own and hang up; what has come by then."""
    loop, answer = asyncio.get_running_loop(), Answer()
    with _open(window=SMALL_WINDOW) as connection, suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(ANSWER_SECONDS):
            await loop.sock_connect(connection, address)
            await loop.sock_sendall(connection, text[: round(len(text) * cut.asked)])
            await asyncio.sleep(cut.seconds)
            while not answer.is_whole and (wanted := cut.received - len(answer.received)) > 0:
                if not (piece := await loop.sock_recv(connection, wanted)):
                    break
                answer.take(piece)
        if cut.resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    return answer


def _open(window: int | None = None) -> socket.socket:
    connection = socket.socket()
    connection.setblocking(False)
    if window is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    return connection
