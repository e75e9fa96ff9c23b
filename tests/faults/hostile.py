"""Measures what anonymous attackers cost: memory, an honest client's acknowledgements, `/healthz`, and SIGTERM."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from multiprocessing.synchronize import Event
from time import monotonic
from typing import ClassVar

import orjson

from tests.faults.client import Client
from tests.faults.fault import Fault
from tests.faults.measures import percentile
from tests.faults.of_clients import MIB, raw_of
from tests.faults.server import Cluster, Server
from tests.faults.stage import Stage

# An attack may cost this many times what the same process needs when it is not attacked.
MEMORY_RATIO = 1.5
ACK_RATIO = 2.0
# Seconds below which an acknowledgement is never called late, because the scheduler alone may take as long.
ACK_FLOOR = 0.25
# Seconds that uvicorn's graceful shutdown may take (8), and a second for the process to end.
LEAVES_WITHIN = 9.0
# Seconds that each phase is measured, and between two messages of the honest client.
MEASURED = 6.0
PAUSE = 0.05
ANSWERED_WITHIN = 15.0

# Runs in a process of its own: it attacks the port from when it sets the first event until the second one is set.
Attack = Callable[[int, Event, Event], None]


@dataclass
class Sample:
    """One phase: seconds to acknowledgements and to answers of `/healthz`, and bytes of memory."""

    acks: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)

    @property
    def slow_ack(self) -> float:
        """The 99th percentile of the acknowledgements."""
        return percentile(sorted(self.acks), 0.99)

    @property
    def peak(self) -> int:
        return max(self.resident)

    def __str__(self) -> str:
        return (
            f"{self.peak / MIB:.0f} MiB, ack p99 {1000 * self.slow_ack:.0f} ms of {len(self.acks)},"
            f" healthz at most {1000 * max(self.health):.0f} ms"
        )


class Attacked(Fault):
    """A process is measured while it is quiet and while it is attacked, and then has to end in the attack."""

    seconds = 1.0
    # A function of a module, because a new process has to import it.
    attack: ClassVar[Attack]

    async def prepare(self, cluster: Cluster) -> Sequence[str]:
        for server in cluster.servers:
            await asyncio.to_thread(server.restart, FAULTS_LIMITS="on")
        return ()

    async def inject(self, stage: Stage) -> None:
        server, other = stage.cluster.servers[:2]
        self.honest = next(iter(stage.rooms.values()))[1]
        room, another = await self._own_room(), await self._own_room()
        quiet = await measured(self.honest, room, server)
        async with attacking(type(self).attack, server.port):
            # The process beside it shows how busy the machine itself is meanwhile.
            under, beside = await asyncio.gather(
                measured(self.honest, room, server), measured(self.honest, another, other)
            )
            await self.observe(stage, server)
            took = await asyncio.to_thread(server.leave, signal.SIGTERM, LEAVES_WITHIN + 5)
        stage.notes += [f"quiet: {quiet}", f"attacked: {under}", f"beside it: {beside}"]
        stage.notes.append(f"SIGTERM: gone in {took:.1f} s")
        stage.wrong += complaints(quiet, under, beside, took)

    async def _own_room(self) -> str:
        body = {"title": "Quiet", "visibility": "private", "members": []}
        return str((await self.honest.rest("POST", "groups/", body))["id"])

    async def observe(self, stage: Stage, server: Server) -> None:
        """Look at what only this attack must have led to, while it lasts."""

    async def heal(self, stage: Stage) -> None:
        await asyncio.to_thread(stage.cluster.servers[0].restart, FAULTS_LIMITS="on")


def complaints(quiet: Sample, under: Sample, beside: Sample, took: float) -> list[str]:
    """Return what an attack cost beyond what it may."""
    found = []
    usual = max(quiet.slow_ack, beside.slow_ack)
    if under.peak > MEMORY_RATIO * quiet.peak:
        found.append(f"memory rose from {quiet.peak / MIB:.0f} to {under.peak / MIB:.0f} MiB")
    if under.slow_ack > max(ACK_FLOOR, ACK_RATIO * usual):
        found.append(f"ack p99 rose from {usual:.3f} to {under.slow_ack:.3f} s")
    if took > LEAVES_WITHIN:
        found.append(f"the process took {took:.1f} s to end after SIGTERM")
    return found


async def measured(honest: Client, room: str, server: Server) -> Sample:
    """Have an honest client send messages one by one for a while, and look at the process meanwhile."""
    sample, ended = Sample(), asyncio.Event()
    looking = [
        asyncio.create_task(_watch_memory(server, sample, ended)),
        asyncio.create_task(_ask_health(server, sample, ended)),
    ]
    try:
        await _send(honest, room, server, sample)
    finally:
        ended.set()
        await asyncio.gather(*looking)
    return sample


async def _send(honest: Client, room: str, server: Server, sample: Sample) -> None:
    frame = {"type": "message.send", "room": room, "text": "x"}
    wire = await raw_of(honest, server)
    until = monotonic() + MEASURED
    try:
        while (began := monotonic()) < until:
            await wire.send(orjson.dumps({**frame, "ref": str(began)}), text=True)
            async with asyncio.timeout(ANSWERED_WITHIN):
                while orjson.loads(await wire.recv()).get("ref") != str(began):
                    pass
            sample.acks.append(monotonic() - began)
            await asyncio.sleep(PAUSE)
    except TimeoutError:
        sample.acks.append(ANSWERED_WITHIN)
    finally:
        wire.transport.abort()


async def _watch_memory(server: Server, sample: Sample, ended: asyncio.Event) -> None:
    sample.resident.append(server.resident)
    while not ended.is_set():
        await asyncio.sleep(PAUSE)
        sample.resident.append(server.resident)


async def _ask_health(server: Server, sample: Sample, ended: asyncio.Event) -> None:
    sample.health.append(await asyncio.to_thread(health_seconds, server.port))
    while not ended.is_set():
        await asyncio.sleep(5 * PAUSE)
        sample.health.append(await asyncio.to_thread(health_seconds, server.port))


def health_seconds(port: int) -> float:
    """Return the seconds in which `/healthz` answers over a new connection, at most ANSWERED_WITHIN."""
    began = monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWERED_WITHIN)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, HTTPException):
        return ANSWERED_WITHIN
    finally:
        connection.close()
    return monotonic() - began


def _attack(attack: Attack, port: int, began: Event, ended: Event) -> None:
    # Real attackers have processors of their own, and take none from the server.
    os.nice(15)
    attack(port, began, ended)


@asynccontextmanager
async def attacking(attack: Attack, port: int) -> AsyncIterator[None]:
    """Run an attack in a process of its own, so that it takes no time from those who measure."""
    context = multiprocessing.get_context("spawn")
    began, ended = context.Event(), context.Event()
    process = context.Process(target=_attack, args=(attack, port, began, ended), daemon=True)
    process.start()
    try:
        assert await asyncio.to_thread(began.wait, 30), "the attack did not begin"
        yield
        assert process.is_alive(), "the attack ended by itself"
    finally:
        ended.set()
        await asyncio.to_thread(process.join, 10)
        if process.is_alive():
            process.kill()
