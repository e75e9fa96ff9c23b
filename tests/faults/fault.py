"""What a fault is, and how one is done: talk, fault, healing, quiet, verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic_ns
from typing import ClassVar

from tests.faults.client import Client
from tests.faults.load import PER_SECOND
from tests.faults.person import PASSWORD
from tests.faults.server import Cluster, Server
from tests.faults.stage import AFTER, BEFORE, Stage, Verdict, judged, quieted, staged, window


class Fault:
    """One way in which things go wrong. What ``inject`` returns is what the table says was done."""

    name: ClassVar[str] = "calm"
    says: ClassVar[str] = "nothing at all"
    seconds: ClassVar[float] = 6.0
    redis_down: ClassVar[bool] = False
    embedded: ClassVar[bool] = False
    people: ClassVar[int] = 10
    rooms: ClassVar[int] = 3
    per_second: ClassVar[float] = PER_SECOND

    def __init__(self) -> None:
        self.effective = True

    async def prepare(self, cluster: Cluster) -> Sequence[str]:
        """Ready the service, and return the addresses that clients are to use; empty means its own."""
        return ()

    async def inject(self, stage: Stage) -> None:
        """Do the fault."""

    async def heal(self, stage: Stage) -> None:
        """Undo it; when this returns, everything is there again."""

    async def inspect(self, stage: Stage) -> None:
        """Look at what only this fault must or must not have done; complaints go to ``stage.wrong``."""

    async def release(self, cluster: Cluster) -> None:
        """Let go of what ``prepare`` took."""


async def act(
    fault: Fault, cluster: Cluster, *, swallows: bool = False, removal: bool = True
) -> Verdict:
    """Do one fault to people who talk, and return the verdict; the service is whole again afterwards."""
    addresses = await fault.prepare(cluster)
    try:
        async with staged(
            cluster,
            people=fault.people,
            rooms=fault.rooms,
            per_second=fault.per_second,
            addresses=addresses,
        ) as stage:
            for one in stage.clients:
                one.swallows = swallows
            await _play(fault, stage, removal)
            await fault.inspect(stage)
            _read_logs(stage)
            return await judged(stage, fault.name, fault.says)
    finally:
        await fault.release(cluster)
        await asyncio.to_thread(cluster.mend)


def _read_logs(stage: Stage) -> None:
    logs = stage.cluster.logs()
    if "Exception in ASGI" in logs:
        stage.wrong.append("a traceback reached the server")
    if any(secret in logs for secret in (PASSWORD, *(one.token for one in stage.clients))):
        stage.wrong.append("a secret is in the log")


async def _play(fault: Fault, stage: Stage, removal: bool) -> None:
    stage.load.start()
    await asyncio.sleep(BEFORE)
    began = monotonic_ns()
    removing = asyncio.create_task(_remove_one(stage)) if removal else None
    await fault.inject(stage)
    await asyncio.sleep(fault.seconds)
    await fault.heal(stage)
    if fault.name != Fault.name:
        window(stage, fault.name, began, redis_down=fault.redis_down, effective=fault.effective)
    await asyncio.sleep(AFTER)
    if removing is not None:
        await removing
    await quieted(stage)


async def _remove_one(stage: Stage) -> None:
    room, members = next(iter(stage.rooms.items()))
    await stage.load.remove(members[0], room, members[-1])


def clients_at(stage: Stage, server: Server) -> list[Client]:
    """Who is connected to a process now."""
    return [
        one
        for one in stage.clients
        if one.connection is not None and one.connection.address == server.address
    ]


async def until_gone(server: Server, within: float = 10.0) -> bool:
    """Wait for a process to have ended by itself; returns whether it has."""
    for _ in range(int(within / 0.05)):
        if not server.running:
            return True
        await asyncio.sleep(0.05)
    return False
