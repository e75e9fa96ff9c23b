"""One who does not read is let go of, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import socket as sockets
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from chat.websocket.server import Protocol
from tests.websocket.wire import WITHIN, Caller, greeted

FRAMES = 900
CONNECTIONS = Path("/proc/net/tcp")
TEXT = "x" * 4_900
# A text frame, unmasked, of five bytes.
FIRST = b"\x81\x05first"


def test_stalled_reader_delays_nobody_and_is_closed(ann: Caller, bob: Caller) -> None:
    room = ann.group("private", bob)

    async def scene() -> None:
        async with (
            Stalled(bob) as deaf,
            greeted(bob.address, bob.token) as ears,
            greeted(ann.address, ann.token) as mouth,
        ):
            for number in range(FRAMES):
                await mouth.ask("message.send", room=room, text=f"{number} {TEXT}")
            last = await ears.hear(lambda f: f["type"] == "message.sent" and f["seq"] == FRAMES + 3)
            assert [f["seq"] for f in ears.of("message.sent")] == list(range(4, last["seq"] + 1))
            await asyncio.to_thread(wait_until_gone, deaf)

    asyncio.run(scene())


def test_nothing_is_written_past_what_still_waits() -> None:
    """Room in the kernel is not enough: what the transport holds back goes first."""

    async def scene() -> None:
        ours, theirs = sockets.socketpair()
        with theirs:
            theirs.setblocking(False)
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
            server = Protocol.__new__(Protocol)
            server.transport, server.close_sent = transport, False
            server._descriptor = ours.fileno()
            assert server.write(("first",))
            filling = b"x" * 1_000_000
            transport.write(filling)
            assert transport.get_write_buffer_size()
            # Read without giving the loop a turn: there is room now, and still something to go before.
            taken = drained(theirs)
            assert not server.write(("last",))
            while len(taken) < len(filling) + len(FIRST):
                await asyncio.sleep(0)
                taken += drained(theirs)
            assert taken == FIRST + filling
            assert server.write(("last",))
            transport.abort()

    asyncio.run(scene())


def drained(sock: sockets.socket) -> bytes:
    """Return all that can be read now."""
    taken = b""
    with suppress(BlockingIOError):
        while found := sock.recv(65_536):
            taken += found
    return taken


class Stalled:
    """A socket whose kernel takes next to nothing and whose owner never reads."""

    def __init__(self, person: Caller) -> None:
        self.person = person

    async def __aenter__(self) -> sockets.socket:
        host, _, port = self.person.address.partition(":")
        self.raw = sockets.socket()
        self.raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        self.raw.connect((host, int(port)))
        offered = [Subprotocol("chat.v1"), Subprotocol(f"bearer.{self.person.token}")]
        self.connection = await connect(
            f"ws://{self.person.address}/ws/", sock=self.raw, subprotocols=offered, proxy=None
        )
        self.connection.transport.pause_reading()
        return self.raw

    async def __aexit__(self, *error: object) -> None:
        self.connection.transport.abort()


def wait_until_gone(raw: sockets.socket) -> None:
    """Wait until the server has let go of its end, which its kernel lists as long as it has not."""
    ends = f":{raw.getpeername()[1]:04X}", f":{raw.getsockname()[1]:04X}"
    deadline = monotonic() + 2 * WITHIN
    while any(established(line, *ends) for line in CONNECTIONS.read_text().splitlines()):
        assert monotonic() < deadline, "the server holds on to who does not read"
        sleep(0.2)


def established(line: str, near: str, far: str) -> bool:
    """Say whether a line of the kernel's table is this connection, and open."""
    columns = line.split()
    return columns[1].endswith(near) and columns[2].endswith(far) and columns[3] == "01"
