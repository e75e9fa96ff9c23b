"""One person who asks for more than anybody may: under the limits of production, while others talk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import ClassVar

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from chat.conf import DEFAULTS
from tests.faults.client import Client
from tests.faults.fault import Fault
from tests.faults.measures import latencies, percentile
from tests.faults.of_clients import MIB, raw_of
from tests.faults.record import History
from tests.faults.server import Cluster, Server
from tests.faults.stage import Stage

# Codes that sockets are closed with.
TOO_MANY = 4429
TOO_BIG = 1009
# Seconds that others may wait meanwhile, and after which a socket that was to be closed stays open.
ACKED_WITHIN = 2.0
CLOSED_WITHIN = 10.0


class Flooded(Fault):
    """One person opens 200 sockets, says as much as the wire takes, again and again, and sends frames too big."""

    name = "F13"
    says = "200 sockets of one person, floods of frames, frames too big, under the limits of production"
    seconds = 1.0
    sockets: ClassVar[int] = 200
    floods: ClassVar[int] = 5
    frames: ClassVar[int] = 5_000
    slack: ClassVar[int] = 30 * MIB

    async def prepare(self, cluster: Cluster) -> Sequence[str]:
        for server in cluster.servers:
            await asyncio.to_thread(server.restart, FAULTS_LIMITS="on")
        return ()

    async def inject(self, stage: Stage) -> None:
        # Not one and the same: whoever floods is let in nowhere for a while, however few their sockets.
        _, self.flooder, self.crowder, *_ = list(stage.rooms.values())[-1]
        server = stage.cluster.servers[0]
        before = server.resident
        async with AsyncExitStack() as wires:
            # Before there is no place left for them.
            big, huge = [await self._open(wires, self.crowder, server) for _ in range(2)]
            await self._flood(stage, server)
            await self._crowd(stage, wires)
            ends = [await _ending(big, 70_000), await _ending(huge, 300_000)]
        grown = server.resident - before
        stage.notes.append(f"frames too big ended in {ends}, grown by {grown / MIB:.0f} MiB")
        if ends != [TOO_BIG] * 2:
            stage.wrong.append(f"sockets with frames too big ended with {ends}")
        if grown > self.slack:
            stage.wrong.append(f"the process grew by {grown / MIB:.0f} MiB")

    async def _open(
        self, wires: AsyncExitStack, person: Client, server: Server
    ) -> ClientConnection:
        wire = await raw_of(person, server)
        wires.callback(wire.transport.abort)
        return wire

    async def _flood(self, stage: Stage, server: Server) -> None:
        refused = closed = 0
        for _ in range(self.floods):
            wire = await raw_of(self.flooder, server)
            talking = asyncio.create_task(self._pour(wire))
            codes, end = await _heard(wire)
            await talking
            refused += codes.count("rate_limited")
            closed += end == TOO_MANY
        stage.notes.append(f"{refused} frames refused, {closed} of {self.floods} floods closed")
        if not refused:
            stage.wrong.append("no frame of a flood was refused for being too many")
        if closed != self.floods:
            stage.wrong.append(f"{self.floods - closed} floods were not closed")

    async def _pour(self, wire: ClientConnection) -> None:
        """Send without waiting: pings, and words that are no command."""
        frames = [b'{"type":"ping","ref":"p"}', b"[]", b"{", b'{"type":"nothing"}']
        with suppress(ConnectionClosed):
            for number in range(self.frames):
                await wire.send(frames[number % len(frames)], text=True)

    async def _crowd(self, stage: Stage, wires: AsyncExitStack) -> None:
        """Open far too many sockets at once, at every process."""
        servers = stage.cluster.servers
        many = await asyncio.gather(
            *(
                self._open(wires, self.crowder, servers[number % len(servers)])
                for number in range(self.sockets)
            )
        )
        firsts = [orjson.loads(await one.recv()) for one in many]
        let_in = sum(first["type"] == "hello" for first in firsts)
        turned_away = [
            await _heard(one)
            for one, first in zip(many, firsts, strict=True)
            if first["type"] == "failed" and first["error"]["code"] == "rate_limited"
        ]
        stage.notes.append(f"{let_in} of {self.sockets} sockets let in")
        if not 0 < let_in <= DEFAULTS["LIMIT_SOCKETS_PERSON"]:
            stage.wrong.append(f"one person had {let_in} sockets more")
        if let_in + sum(end == TOO_MANY for _, end in turned_away) != self.sockets:
            stage.wrong.append("sockets beyond the limit were not turned away as such")

    async def inspect(self, stage: Stage) -> None:
        hostile = {self.flooder.name, self.crowder.name}
        others = [one for one in stage.recorder.records if one.client not in hostile]
        times = latencies(History(others, {}, {}, stage.windows), inside=True)
        slowest = percentile(times, 0.99)
        stage.notes.append(f"{len(times)} messages of others, ack p99 {slowest:.2f} s")
        if not times or slowest > ACKED_WITHIN:
            stage.wrong.append(f"others waited {slowest:.1f} s for an acknowledgement")


async def _heard(wire: ClientConnection) -> tuple[list[str], int]:
    """Hear a socket out: the codes of its refusals, and the code that it is closed with; 0 where it is not."""
    codes = []
    try:
        async with asyncio.timeout(CLOSED_WITHIN):
            while True:
                frame = orjson.loads(await wire.recv())
                if frame["type"] == "failed":
                    codes.append(frame["error"]["code"])
    except TimeoutError:
        return codes, 0
    except ConnectionClosed as closed:
        return codes, closed.rcvd.code if closed.rcvd else 1006


async def _ending(wire: ClientConnection, size: int) -> int:
    """Send a frame of so many bytes, and return the code that the socket is closed with."""
    with suppress(ConnectionClosed):
        await wire.send(b"x" * size, text=True)
    return (await _heard(wire))[1]
