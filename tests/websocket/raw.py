"""A client that breaks every rule: a plain TCP connection on which WebSocket bytes are written as they stand."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
PING = b"\x89\x80\0\0\0\0"
PONG = b"\x8a\x80\0\0\0\0"
# An empty fragment that begins a message, and one that goes on with it.
FIRST_FRAGMENT = b"\x01\x80\0\0\0\0"
FRAGMENT = b"\x00\x80\0\0\0\0"
CLOSE = 8
WITHIN = 30


def handshake(more: bytes = b"", *, path: bytes = b"/ws/", offer: bytes = b"chat.v1") -> bytes:
    """Return the head of a handshake, with more header lines."""
    offered = b"Sec-WebSocket-Protocol: " + offer + b"\r\n" if offer else b""
    return (
        b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        + KEY
        + b"\r\n"
        + offered
        + more
        + b"\r\n"
    )


def text(payload: bytes) -> bytes:
    """Return a text frame of up to 65,535 bytes, masked with zeros."""
    if len(payload) < 126:
        return bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload
    return b"\x81\xfe" + struct.pack("!H", len(payload)) + bytes(4) + payload


class Raw:
    """One TCP connection to a server."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self.sock = socket.create_connection((host, int(port)), WITHIN)
        self.received = b""

    def send(self, data: bytes) -> bool:
        """Send all of it; return False where the server has gone meanwhile."""
        try:
            self.sock.sendall(data)
        except OSError:
            return False
        return True

    def head(self) -> bytes:
        """Return the head of the HTTP answer."""
        while b"\r\n\r\n" not in self.received:
            self.received += self._piece()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        return head

    def rest(self) -> bytes:
        """Return all that comes until the server closes."""
        with suppress(ConnectionError):
            while piece := self.sock.recv(65_536):
                self.received += piece
        return self.received

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield the server's frames as ``(opcode, payload)`` until it closes."""
        with suppress(ConnectionError):
            while True:
                opcode, size = self._take(1)[0] & 15, self._take(1)[0]
                if size == 126:
                    size = int.from_bytes(self._take(2))
                elif size == 127:
                    size = int.from_bytes(self._take(8))
                yield opcode, self._take(size)

    def closed(self) -> int:
        """Read on until the server closes, and return its code; 1006 where it sent no close frame."""
        for opcode, payload in self.frames():
            if opcode == CLOSE:
                return int.from_bytes(payload[:2])
        return 1006

    def _take(self, size: int) -> bytes:
        while len(self.received) < size:
            self.received += self._piece()
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def _piece(self) -> bytes:
        piece = self.sock.recv(65_536)
        if not piece:
            raise ConnectionResetError
        return piece


@contextmanager
def opened(address: str, token: str | None = None, more: bytes = b"") -> Iterator[Raw]:
    """Open a WebSocket by hand, signed in by subprotocol if there is a token, and wait for its ``hello``."""
    raw = Raw(address)
    with raw.sock:
        offer = b"chat.v1" + (f", bearer.{token}".encode() if token else b"")
        raw.send(handshake(more, offer=offer))
        assert raw.head().startswith(b"HTTP/1.1 101 ")
        if token:
            assert b'"hello"' in next(raw.frames())[1]
        yield raw
