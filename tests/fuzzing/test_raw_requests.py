"""Requests that no well-behaved client sends: what tells where a request ends."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.fuzzing.roles import Place

SECOND = b"GET /health/live HTTP/1.1\r\nHost: service.test\r\n\r\n"
"""A request that some would take for the body of the one before."""


@pytest.mark.asvs("V4.2.1")
@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 40\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Content-Length: +4\r\n",
    ],
    ids=["length and chunks", "chunks and length", "two lengths", "chunks not last", "signed length"],
)
def test_two_ends_of_one_request(foreign: Place, headers: bytes) -> None:
    """A request that says in two ways where it ends is refused, and nothing behind it is answered.

    Catches: a server that sees another second request than the proxy before it.
    """
    address = urlsplit(foreign.running.url)
    head = b"POST /oauth/token HTTP/1.1\r\nHost: service.test\r\n" + headers + b"\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head + b"0\r\n\r\n" + SECOND)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
