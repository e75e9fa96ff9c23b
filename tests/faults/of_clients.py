"""Faults of clients and of their network: they stall, vanish, and lose their way."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence
from time import monotonic
from typing import ClassVar

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.faults.client import Client
from tests.faults.connection import SILENT_FOR
from tests.faults.fault import Fault
from tests.faults.proxy import Proxy
from tests.faults.server import Cluster, Server, connected
from tests.faults.stage import Stage

MIB = 1_048_576
CLOSED_WITHIN = 30.0
# Without a bound it is 8 MiB and more before the kernel gives the reader up; with it 1 to 3, most of that the talk.
GROWTH = 6 * MIB
DROPPED_WITHIN = 45.0


async def raw(address: str, token: str, *, receive: int = 0) -> ClientConnection:
    """Open a socket that answers no pings and is read by nobody but the caller; ``receive`` bounds its buffer."""
    host, port = address.split(":")
    end = socket.socket()
    if receive:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    end.setblocking(False)
    await asyncio.get_running_loop().sock_connect(end, (host, int(port)))
    spoken = [Subprotocol("chat.v1"), Subprotocol(f"bearer.{token}")]
    return await connect(
        f"ws://{address}/ws/",
        sock=end,
        subprotocols=spoken,
        compression=None,
        ping_interval=None,
        close_timeout=1,
        max_queue=1,
        proxy=None,
    )


class Stalled(Fault):
    """A reader that reads nothing, while much is said to it and to others."""

    name = "F12"
    says = "a reader that never reads, up to 24 MB said in its room"
    seconds = 0.0
    megabytes: ClassVar[int] = 24
    words: ClassVar[int] = 4_900
    first: ClassVar[int] = 200
    growth: ClassVar[int] = GROWTH

    async def inject(self, stage: Stage) -> None:
        server = stage.cluster.servers[0]
        reader, *others = next(iter(stage.rooms.values()))
        room = await self._room(reader, others[0])
        # What the first long messages make a process hold, they make it hold without a reader that stalls.
        await self._say(others[0], room, server, self.first)
        before = server.resident
        stalled = await raw(server.address, reader.token, receive=4096)
        port = stalled.transport.get_extra_info("sockname")[1]
        # Nothing is taken from the buffer any more, by the library neither.
        stalled.transport.pause_reading()
        self.effective = connected(port, server.port)
        await self._deluge(others[0], room, server, port)
        self.closed = await self._closed(port, server)
        grown = server.resident - before
        stage.notes.append(f"closed after {self.closed:.0f} s, grown by {grown / MIB:.0f} MiB")
        if self.closed > CLOSED_WITHIN:
            stage.wrong.append("the stalled reader was not closed")
        if grown > self.growth:
            stage.wrong.append(f"the process grew by {grown / MIB:.0f} MiB")
        stalled.transport.abort()

    async def _room(self, reader: Client, speaker: Client) -> str:
        body = {"title": "Deluge", "visibility": "private", "members": [reader.id]}
        return str((await speaker.rest("POST", "groups/", body))["id"])

    async def _deluge(self, speaker: Client, room: str, server: Server, port: int) -> None:
        """Say more than all buffers hold between here and there, or until the reader's connection is gone."""
        left = self.megabytes * MIB // self.words
        await self._say(speaker, room, server, left, lambda: connected(port, server.port))

    async def _say(
        self,
        speaker: Client,
        room: str,
        server: Server,
        left: int,
        go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Say so many long words, some at once."""
        wire = await raw_of(speaker, server)
        try:
            while left > 0 and go_on():
                some = min(left, 50)
                for _ in range(some):
                    await wire.send(_message(room, self.words), text=True)
                for _ in range(some):
                    await _answer(wire)
                left -= some
        finally:
            wire.transport.abort()

    async def _closed(self, port: int, server: Server) -> float:
        began = monotonic()
        for _ in range(int(CLOSED_WITHIN / 0.2) + 1):
            if not connected(port, server.port):
                break
            await asyncio.sleep(0.2)
        return monotonic() - began


class StalledBriefly(Stalled):
    """The same, for a run among the tests."""

    says = "a reader that never reads, up to 10 MB said in its room"
    megabytes = 10
    # Beside other tests the process grows by much else; what the reader costs is seen by the long one.
    growth = 20 * MIB


async def raw_of(client: Client, server: Server) -> ClientConnection:
    """Open one more socket of a person, which somebody reads."""
    spoken = [Subprotocol("chat.v1"), Subprotocol(f"bearer.{client.token}")]
    return await connect(
        f"ws://{server.address}/ws/",
        subprotocols=spoken,
        compression=None,
        ping_interval=None,
        close_timeout=1,
        max_size=None,
        proxy=None,
    )


def _message(room: str, size: int) -> bytes:
    text = secrets.token_hex(8).ljust(size, "~")
    return orjson.dumps({"type": "message.send", "ref": "r", "room": room, "text": text})


async def _answer(wire: ClientConnection) -> dict[str, object]:
    while True:
        frame: dict[str, object] = orjson.loads(await wire.recv())
        if frame["type"] in {"done", "failed"}:
            return frame


class Vanished(Fault):
    """Clients whose network is gone: no byte comes, and nobody says so."""

    name = "F14"
    says = "20 clients vanish without a word (half-open)"
    seconds = 0.0
    many: ClassVar[int] = 20

    async def inject(self, stage: Stage) -> None:
        server, person = stage.cluster.servers[0], stage.clients[1]
        async with Proxy(server.address) as proxy:
            opened = [await raw(proxy.address, person.token) for _ in range(self.many)]
            await asyncio.sleep(1)
            links = proxy.ends()
            self.effective = len(links) == self.many
            proxy.blackhole()
            began = monotonic()
            while any(connected(port, server.port) for port in links):
                if monotonic() - began > DROPPED_WITHIN:
                    stage.wrong.append("half-open sockets were still held")
                    break
                await asyncio.sleep(0.5)
            stage.notes.append(f"dropped after {monotonic() - began:.0f} s")
            for one in opened:
                one.transport.abort()


class Deafened(Fault):
    """What the server says no longer arrives; what clients say still does."""

    name = "F15"
    says = "server→client black-holed for the clients of one process"
    seconds = SILENT_FOR + 4.0

    async def prepare(self, cluster: Cluster) -> Sequence[str]:
        self.proxy = await Proxy(cluster.servers[0].address).__aenter__()
        return (self.proxy.address, cluster.servers[1].address)

    async def inject(self, stage: Stage) -> None:
        self.deaf = [
            one
            for one in stage.clients
            if one.connection and one.connection.address == self.proxy.address
        ]
        self.effective = bool(self.deaf)
        self.before = {one: one.connection for one in self.deaf}
        self.proxy.blackhole(to_server=False)

    async def heal(self, stage: Stage) -> None:
        unaware = [one for one in self.deaf if one.connection is self.before[one]]
        if unaware:
            stage.wrong.append(f"{len(unaware)} clients did not notice the silence")
        self.proxy.pass_again()

    async def release(self, cluster: Cluster) -> None:
        await self.proxy.__aexit__(None, None, None)


class Shaken(Fault):
    """The way of the clients to one process is slow, and then gone from one moment to the next."""

    name = "net"
    says = "the clients' network 0.3 s slower each way, then every connection reset, twice"
    seconds = 1.0
    late: ClassVar[float] = 0.3

    async def prepare(self, cluster: Cluster) -> Sequence[str]:
        self.proxy = await Proxy(cluster.servers[0].address).__aenter__()
        return (self.proxy.address, cluster.servers[1].address)

    async def inject(self, stage: Stage) -> None:
        cut = 0
        for _ in range(2):
            self.proxy.delay = self.late
            await asyncio.sleep(3)
            cut += self.proxy.reset()
            self.proxy.delay = 0.0
            await asyncio.sleep(1)
        self.effective = cut > 0
        stage.notes.append(f"{cut} connections reset")

    async def release(self, cluster: Cluster) -> None:
        await self.proxy.__aexit__(None, None, None)
