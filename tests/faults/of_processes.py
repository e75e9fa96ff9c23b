"""Faults of server processes: killed at named points, told to leave, with a clock that is off, on SQLite."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import ClassVar

from tests.faults.fault import Fault, clients_at, until_gone
from tests.faults.points import POINTS
from tests.faults.server import Server
from tests.faults.stage import Stage

LEAVES_WITHIN = 15.0
# After how many of its kind a process dies at a named point.
AFTER_SOME = 5


async def restart(server: Server, **sabotage: str) -> None:
    await asyncio.to_thread(server.restart, **sabotage)


async def doom(server: Server, point: str) -> None:
    """Start a process that dies at a named point, and return once it is ready, or dead already."""
    await asyncio.to_thread(server.restart_to_die, FAULTS_DIE=f"{point}:{AFTER_SOME}")


class Killed(Fault):
    """kill -9 where it happens to be, and then at each named point of a send."""

    name = "F1"
    says = "kill -9 of a process: at random, before commit, after commit, before push"
    seconds = 1.0
    points: ClassVar[tuple[str, ...]] = tuple(POINTS)

    async def inject(self, stage: Stage) -> None:
        doomed, other = stage.cluster.servers[:2]
        for point in self.points:
            # Whoever is at the other process is driven to the one that is going to die.
            await doom(doomed, point)
            other.kill()
            self.effective &= await until_gone(doomed)
            await asyncio.gather(restart(other), restart(doomed))

    async def heal(self, stage: Stage) -> None:
        stage.notes.append(f"{sum(one.reconnects for one in stage.clients)} reconnects")


class KilledOnce(Killed):
    """The same, for a run among the tests."""

    says = "kill -9 of a process: at random, after commit"
    points = ("after-commit",)


class Deployed(Fault):
    """SIGTERM to one process after the other, the next one there before."""

    name = "F18"
    says = "SIGTERM under load, one process after the other"
    seconds = 1.0

    async def inject(self, stage: Stage) -> None:
        for server in stage.cluster.servers:
            there = clients_at(stage, server)
            before = [len(one.codes) for one in there]
            took = await asyncio.to_thread(server.leave, signal.SIGTERM, LEAVES_WITHIN)
            stage.notes.append(f"gone in {took:.1f} s")
            if took >= LEAVES_WITHIN:
                stage.wrong.append(f"a process was still there {took:.0f} s after SIGTERM")
            await asyncio.sleep(0.5)
            codes = [code for one, n in zip(there, before, strict=True) for code in one.codes[n:]]
            # 1006 is the harness's own hanging up.
            if strange := set(codes) - {1012, 1006, 1000}:
                stage.wrong.append(f"sockets ended with {strange}")
            if codes.count(1012) < len(there) // 2:
                stage.wrong.append(f"{codes.count(1012)} of {len(there)} sockets were told 1012")
            await restart(server)


class Clock(Fault):
    """One process believes in another time of day."""

    name = "F17"
    says = "the clock of one process: −65 s, +65 s, a step back of 10 min, +25 h"
    seconds = 0.0
    each: ClassVar[float] = 3.0

    async def inject(self, stage: Stage) -> None:
        server = stage.cluster.servers[0]
        for off in (-65, 65, 25 * 3600):
            await restart(server, FAULTS_CLOCK=str(off))
            await asyncio.sleep(self.each)
            if off == 65:
                os.kill(server.pid, signal.SIGUSR2)
                await asyncio.sleep(self.each)

    async def heal(self, stage: Stage) -> None:
        await restart(stage.cluster.servers[0])

    async def inspect(self, stage: Stage) -> None:
        # What was counted in the far future must lock nobody out now.
        await stage.clients[0].sign_in()


class OnSqlite(Fault):
    """The small set-up: one process, killed while it writes, with twenty people who speak at once."""

    name = "F27"
    says = "SQLite: kill -9 while writing, twice; 20 people at once"
    seconds = 2.0
    embedded = True
    people = 10
    rooms = 2

    async def inject(self, stage: Stage) -> None:
        server = stage.cluster.servers[0]
        for point in ("before-commit", "after-commit"):
            await doom(server, point)
            self.effective &= await until_gone(server)
            await restart(server)
        room, members = list(stage.rooms.items())[-1]
        await asyncio.gather(*(stage.load.say(one, room) for one in members * 2))

    async def inspect(self, stage: Stage) -> None:
        if "database is locked" in stage.cluster.logs():
            stage.wrong.append("the database was locked")
