"""HTTP written byte by byte over a socket of one's own."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

# Ample: an answer that does not come within it does not come.
WITHIN = 30
HOST = b"Host: localhost\r\n"


@dataclass(frozen=True)
class Answer:
    """One response, as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        return dict(orjson.loads(self.body))


@contextmanager
def connected(port: int, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """Open a connection, from one of the addresses of this machine."""
    where = ("127.0.0.1", port)
    with socket.create_connection(where, WITHIN, source_address=(source, 0)) as wire:
        yield wire


def all_of(wire: socket.socket) -> bytes:
    """Read until the server ends the connection. Raises ConnectionResetError where it is reset."""
    pieces = []
    while piece := wire.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def answers(heard: bytes) -> list[Answer]:
    """Cut what was heard into responses; each has a `Content-Length`."""
    found = []
    while heard:
        head, _, heard = heard.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        status = re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", first)
        assert status, first
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers["content-length"])
        found.append(Answer(int(status[1]), headers, heard[:length]))
        heard = heard[length:]
    return found


def answer_to(port: int, *said: bytes, source: str = "127.0.0.1") -> Answer:
    """Say something over a new connection, and return the one answer after which the server closes."""
    with connected(port, source) as wire:
        for piece in said:
            wire.sendall(piece)
        (answer,) = answers(all_of(wire))
        return answer


def chunks(*pieces: bytes) -> bytes:
    """Return a body in chunks, without the last one."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
