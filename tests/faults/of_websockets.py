"""Attacks over WebSockets: floods of pings and of fragments, signed in or not, and handshakes that are refused."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle
from multiprocessing.synchronize import Event

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.faults.hostile import Attacked
from tests.faults.of_clients import raw_of
from tests.faults.of_http import CONNECTIONS, from_many, opened
from tests.faults.person import PASSWORD
from tests.faults.server import Server
from tests.faults.stage import Stage
from tests.websocket.raw import FIRST_FRAGMENT, FRAGMENT, PING, handshake

BURST = 8_000
LONG_PING = b"\x89\xfd\0\0\0\0" + bytes(125)
LISTENERS = 12
LEAVING = 1012
SECONDS = 15


def keep_flooding(
    port: int, offer: bytes, first: bytes, again: bytes, ended: Event, *, reads: bool
) -> None:
    """Open a WebSocket and flood it, and another one whenever the server ends it."""
    burst = again * BURST
    while not ended.is_set():
        with suppress(OSError), opened(port) as wire:
            wire.settimeout(1)
            wire.sendall(handshake(offer=offer))
            wire.recv(4_096)
            wire.sendall(first)
            while not ended.is_set():
                wire.send(burst)
                if reads:
                    _read_away(wire)
        # A server that is closing its connections or has left: try again without spinning.
        ended.wait(0.01)


def _read_away(wire: socket.socket) -> None:
    with suppress(BlockingIOError):
        while wire.recv(65_536, socket.MSG_DONTWAIT):
            pass


def token_of_somebody(port: int) -> str:
    """Register a person and return an access token."""
    body = {"username": f"flooder{secrets.token_hex(4)}", "password": PASSWORD}
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}/api/auth/", trust_env=False) as http:
        http.post("register/", json=body).raise_for_status()
        return str(http.post("token/", json=body).raise_for_status().json()["access"])


def floods(port: int, again: bytes, first: bytes, ended: Event) -> Callable[[], None]:
    """Return an attack by anonymous and by signed-in clients in turn, half of which read what they are sent."""
    tokens = [token_of_somebody(port) for _ in range(CONNECTIONS // 2)]
    offers: Iterator[tuple[bytes, bool]] = cycle(
        (offer, reads)
        for token in tokens
        for offer, reads in (
            (b"chat.v1", False),
            (f"chat.v1, bearer.{token}".encode(), True),
        )
    )

    def attack() -> None:
        offer, reads = next(offers)
        keep_flooding(port, offer, first, again, ended, reads=reads)

    return attack


def flood_pings(port: int, began: Event, ended: Event) -> None:
    from_many(floods(port, PING, b"", ended), began, ended)


def flood_long_pings(port: int, began: Event, ended: Event) -> None:
    from_many(floods(port, LONG_PING, b"", ended), began, ended)


def flood_fragments(port: int, began: Event, ended: Event) -> None:
    from_many(floods(port, FRAGMENT, FIRST_FRAGMENT, ended), began, ended)


def open_in_vain(port: int, began: Event, ended: Event) -> None:
    """Open WebSockets with handshakes that are refused, and hold each connection until the server closes it."""
    heads = cycle(
        [
            handshake(
                b"Cookie: a=" + b"x" * 30_000 + b"\r\n" + b"X-Long: " + b"x" * 60_000 + b"\r\n"
            ),
            handshake(b"".join(b"X-%d: x\r\n" % number for number in range(129))),
            handshake(b"Content-Length: 5\r\n") + b"hello",
            handshake(b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
            handshake(b"Sec-WebSocket-Key: x\r\n"),
        ]
    )

    def attack() -> None:
        while not ended.is_set():
            with suppress(OSError), opened(port) as wire:
                wire.settimeout(1)
                wire.sendall(next(heads))
                while wire.recv(4_096) and not ended.is_set():
                    pass
            ended.wait(0.01)

    from_many(attack, began, ended)


class FloodedPings(Attacked):
    """Six-byte pings, as fast as the wire takes them."""

    name = "pings"
    says = f"pings without end over {CONNECTIONS} WebSockets, signed in or not, then SIGTERM"
    attack = flood_pings


class FloodedLongPings(Attacked):
    """Pings whose answers are as long as they may be, and half of them unread."""

    name = "long-pings"
    says = f"pings of 125 bytes without end over {CONNECTIONS} WebSockets, then SIGTERM"
    attack = flood_long_pings


class FloodedFragments(Attacked):
    """Messages of empty fragments that never end."""

    name = "fragments"
    says = (
        f"empty fragments without end over {CONNECTIONS} WebSockets, signed in or not, then SIGTERM"
    )
    attack = flood_fragments


class RefusedHandshakes(Attacked):
    """Handshakes that the library refuses, while others listen and the process is told to stop."""

    name = "refused"
    says = f"refused handshakes over {CONNECTIONS} connections and {LISTENERS} that listen, then SIGTERM"
    attack = open_in_vain

    async def observe(self, stage: Stage, server: Server) -> None:
        self.wires = [await raw_of(self.honest, server) for _ in range(LISTENERS)]
        for wire in self.wires:
            # A WebSocket that was not greeted yet is not told that the server leaves.
            assert orjson.loads(await wire.recv())["type"] == "hello"
        self.ears = [asyncio.create_task(_last_words(wire)) for wire in self.wires]

    async def heal(self, stage: Stage) -> None:
        ends = await asyncio.gather(*self.ears)
        graceful = ends.count(("leaving", LEAVING))
        stage.notes.append(f"{graceful} of {LISTENERS} listeners heard leaving and 1012")
        if graceful != LISTENERS:
            stage.wrong.append(f"listeners ended otherwise: {sorted(set(ends))}")
        for wire in self.wires:
            wire.transport.abort()
        await super().heal(stage)


async def _last_words(wire: ClientConnection) -> tuple[str, int]:
    """Return the type of the last frame of a WebSocket, and its close code."""
    last = ""
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                last = orjson.loads(await wire.recv())["type"]
    except ConnectionClosed as closed:
        return last, closed.rcvd.code if closed.rcvd else 1006
    except TimeoutError:
        return last, 0
