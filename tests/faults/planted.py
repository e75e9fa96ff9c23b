"""Bugs put into the real service, or into a client: each must turn the checker red, or its green says nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass

from tests.faults.fault import Fault, act, until_gone
from tests.faults.of_processes import KilledOnce, restart
from tests.faults.of_redis import Flushed
from tests.faults.server import Cluster
from tests.faults.stage import Stage

SWALLOWED = "5xx-as-refusal"


class Calm(Fault):
    """Nothing goes wrong but what is planted."""

    seconds = 4.0


class DiesAfterAck(Fault):
    """What was acknowledged before its commit is lost by a crash between the two."""

    name = "crash"
    seconds = 1.0

    async def inject(self, stage: Stage) -> None:
        for server in stage.cluster.servers:
            os.kill(server.pid, signal.SIGUSR1)
            self.effective &= await until_gone(server)
            await restart(server)


# The bug, the check that must see it, and what is done to the service meanwhile.
PLANTED: dict[str, tuple[str, type[Fault]]] = {
    "ack-before-commit": ("C1", DiesAfterAck),
    "dedupe-in-memory": ("C2", Calm),
    "order-by-id": ("C4", Calm),
    "resume-from-cursor": ("C8", Calm),
    "no-repair": ("C9", Flushed),
    "lossy-layer": ("C9", Calm),
    "removed-hear-on": ("C10", Calm),
    SWALLOWED: ("C5", KilledOnce),
}


@dataclass(frozen=True)
class Planted:
    """What the checker said of a planted bug."""

    name: str
    wanted: str
    red: list[str]

    @property
    def seen(self) -> bool:
        return self.wanted in self.red


async def sought(name: str, service: Cluster) -> Planted:
    """Plant a bug, let people talk, and return which checks turned red; the bug is gone afterwards."""
    wanted, kind = PLANTED[name]
    if name != SWALLOWED:
        await _restart_with(service, FAULTS_BUG=name)
    try:
        verdict = await act(kind(), service, swallows=name == SWALLOWED)
    finally:
        await _restart_with(service)
    return Planted(name, wanted, list(verdict.wrong))


async def _restart_with(service: Cluster, **bug: str) -> None:
    for server in service.servers:
        server.common.pop("FAULTS_BUG", None)
        server.common.update(bug)
        await asyncio.to_thread(server.restart)
