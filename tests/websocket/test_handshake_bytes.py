"""Handshakes written byte by byte: nothing in a header makes another header of it, and nothing is agreed on unasked."""

from __future__ import annotations

import re
import socket

import pytest

from tests.live.processes import SetUp
from tests.websocket.wire import Caller

pytestmark = pytest.mark.once

HANDSHAKE = (
    b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
# What one parser or another takes for the end of a line: refused, or no more than a letter.
REFUSED = [b"\x00", b"\x0b", b"\x0c", b"\r", b"\x1c", b"\x1d", b"\x1e", b"\x7f"]
LETTERS = [b"\x85", b"\xc2\x85"]
PING = b'{"type": "ping"}'
ANSWER = re.compile(rb'"(done|failed)"')
# Seconds; what is silent for so long says nothing.
SILENCE = 2
# Ample for an answer.
WITHIN = 30


def told(setup: SetUp, more: bytes) -> bytes:
    """Open a socket with more headers, say ping, and return what comes until it is answered, or nothing does."""
    with socket.create_connection(("127.0.0.1", setup.servers[0].port), SILENCE) as connection:
        connection.sendall(HANDSHAKE + more + b"\r\n")
        heard = b""
        try:
            while not ANSWER.search(heard) and (piece := connection.recv(4_096)):
                if not heard and piece.startswith(b"HTTP/1.1 101 "):
                    connection.sendall(b"\x81" + bytes([0x80 | len(PING)]) + bytes(4) + PING)
                heard += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return heard


def bearer(caller: Caller) -> bytes:
    return b"Authorization: Bearer " + caller.token.encode() + b"\r\n"


@pytest.mark.parametrize("end", [*REFUSED, *LETTERS], ids=repr)
def test_no_header_is_smuggled_inside_another(ann: Caller, setup: SetUp, end: bytes) -> None:
    answer = told(setup, b"X-Any: x" + end + bearer(ann))
    assert b"hello" not in answer
    assert answer.startswith(b"HTTP/1.1 400 ") == (end in REFUSED), answer
    assert (b"unauthenticated" in answer) == (end in LETTERS), answer
    assert "Traceback" not in setup.logs()


def test_a_frame_that_comes_with_the_handshake_is_answered(ann: Caller, setup: SetUp) -> None:
    """A client should wait for the answer; one that does not loses no bytes by how they were cut."""
    frame = b"\x81" + bytes([0x80 | len(PING)]) + bytes(4) + PING
    with socket.create_connection(("127.0.0.1", setup.servers[0].port), WITHIN) as connection:
        connection.sendall(HANDSHAKE + bearer(ann) + b"\r\n" + frame)
        heard = b""
        while not ANSWER.search(heard):
            piece = connection.recv(4_096)
            assert piece, heard
            heard += piece
    assert b'"done"' in heard


def test_the_same_on_a_line_of_its_own_signs_in(ann: Caller, setup: SetUp) -> None:
    assert b"hello" in told(setup, b"X-Any: x\r\n" + bearer(ann))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (b"Host: evil.example\r\n", b""),
        (b"Origin: http://localhost\r\nOrigin: http://evil.example\r\n", b"Origin"),
        (b"Sec-WebSocket-Version: 8\r\n", b"Sec-WebSocket-Version"),
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"Sec-WebSocket-Key"),
        (b" folded\r\n", b""),
        (b"X Y: z\r\n", b""),
    ],
    ids=repr,
)
def test_a_doubled_or_broken_header_is_refused(setup: SetUp, more: bytes, reason: bytes) -> None:
    answer = told(setup, more)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert reason in answer


def test_compression_is_not_agreed_on(setup: SetUp) -> None:
    """So fifteen kilobytes stay fifteen kilobytes; a frame that says it is compressed ends its socket."""
    offer = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    head = told(setup, offer).partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 101 ")
    assert b"extensions" not in head
    assert b"server:" not in head
