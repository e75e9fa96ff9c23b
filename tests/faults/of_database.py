"""Faults of PostgreSQL: crashed, hung, out of connections, deadlocked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic, monotonic_ns, sleep
from typing import ClassVar

import psycopg

from tests.faults.connection import Lost, Refused
from tests.faults.fault import Fault
from tests.faults.measures import first_ack_after
from tests.faults.record import History
from tests.faults.server import Cluster
from tests.faults.stage import Stage

ACKS_AGAIN_WITHIN = 5.0
LOOP_LAG = 0.5


class Crashed(Fault):
    """PostgreSQL ends as in a crash, is away for three seconds, and recovers."""

    name = "F8"
    says = "PostgreSQL crashed (immediate), 3 s away"
    seconds = 3.0

    async def inject(self, stage: Stage) -> None:
        self.pids = [server.pid for server in stage.cluster.servers]
        self.epochs = {one.epoch for one in stage.clients}
        await asyncio.to_thread(stage.cluster.postgres.kill)
        self.down = monotonic_ns()

    async def heal(self, stage: Stage) -> None:
        self.up = monotonic_ns()
        await asyncio.to_thread(stage.cluster.postgres.start)
        self.ready = monotonic_ns()

    async def inspect(self, stage: Stage) -> None:
        history = History(stage.recorder.records, {}, {})
        asked = {one.call: one.t for one in history.records if one.type == "invoke"}
        false = [
            one
            for one in history.records
            if (one.op, one.type) == ("send", "ok")
            and self.down < asked[one.call]
            and one.t < self.up
        ]
        if false:
            stage.wrong.append(f"{len(false)} acknowledgements while there was no database")
        again = first_ack_after(history, self.ready)
        stage.notes.append(f"first ack {again or -1:.1f} s after the start")
        if again is None or again > ACKS_AGAIN_WITHIN:
            stage.wrong.append(f"the first acknowledgement after the start took {again} s")
        if self.pids != [server.pid for server in stage.cluster.servers if server.running]:
            stage.wrong.append("a server process ended")
        if {one.epoch for one in stage.clients} != self.epochs or len(self.epochs) != 1:
            stage.wrong.append("the epoch changed by a crash")


class Frozen(Fault):
    """PostgreSQL hangs with every connection open; the event loop must not."""

    name = "F9"
    says = "PostgreSQL hangs (SIGSTOP)"
    seconds = 0.0
    hangs: ClassVar[float] = 12.0

    async def inject(self, stage: Stage) -> None:
        stage.cluster.postgres.hang()
        self.slowest = 0.0
        until = monotonic() + self.hangs
        await asyncio.gather(*(self._ask(one, until) for one in stage.cluster.addresses))

    async def _ask(self, address: str, until: float) -> None:
        """Have the event loop answer by itself: who sends a bad request asks nothing of threads or database."""
        while monotonic() < until:
            began = monotonic()
            reader, writer = await asyncio.open_connection(*address.split(":"))
            writer.write(b"nonsense\r\n\r\n")
            await reader.read()
            writer.close()
            self.slowest = max(self.slowest, monotonic() - began)
            await asyncio.sleep(0.2)

    async def heal(self, stage: Stage) -> None:
        stage.cluster.postgres.go_on()
        stage.notes.append(f"slowest answer of the loop {self.slowest:.2f} s")

    async def inspect(self, stage: Stage) -> None:
        unanswered = [
            one
            for one in stage.recorder.records
            if (one.op, one.type) == ("send", "info") and one.more["why"] == TimeoutError.__name__
        ]
        if unanswered:
            stage.wrong.append(f"{len(unanswered)} sends over open sockets were never answered")
        if self.slowest > LOOP_LAG:
            stage.wrong.append(f"the event loop took {self.slowest:.1f} s to answer")


class Exhausted(Fault):
    """Four connections to the database, and two hundred who want one."""

    name = "F10"
    says = "a pool of 4 connections, 200 sends at once"
    seconds = 1.0

    async def prepare(self, cluster: Cluster) -> Sequence[str]:
        pool = {"DATABASE_POOL_MIN": "1", "DATABASE_POOL_MAX": "4", "DATABASE_POOL_TIMEOUT": "2"}
        for server in cluster.servers:
            await asyncio.to_thread(server.restart, **pool)
        return ()

    async def inject(self, stage: Stage) -> None:
        rooms = [(room, one) for room, members in stage.rooms.items() for one in members[:-1]]
        await asyncio.gather(*(stage.load.say(one, room) for room, one in (rooms * 8)[:200]))


class Deadlocked(Fault):
    """Someone else locks rooms in the opposite order while people are brought in and removed."""

    name = "F11"
    says = "rows locked by another hand in opposite order"
    seconds = 0.0
    lasts: ClassVar[float] = 6.0

    async def inject(self, stage: Stage) -> None:
        until = monotonic() + self.lasts
        self.deadlocks = self.locked = 0
        guest = stage.clients[-1].id
        hand = asyncio.to_thread(self._lock, stage.cluster, list(stage.rooms), guest, until)
        await asyncio.gather(hand, self._come_and_go(stage, until))
        self.effective = self.locked > 0
        stage.notes.append(
            f"{self.locked} times locked, {self.deadlocks} deadlocks for the other hand"
        )

    def _lock(self, cluster: Cluster, rooms: list[str], guest: str, until: float) -> None:
        # Own logs are locked after rooms; this hand takes the guest's first.
        own = "SELECT 1 FROM chat_room WHERE key = %s FOR NO KEY UPDATE"
        one = "SELECT 1 FROM chat_room WHERE id = %s FOR NO KEY UPDATE"
        with psycopg.connect(cluster.postgres.url) as connection:
            while monotonic() < until:
                try:
                    with connection.transaction():
                        connection.execute(own, [f"self:{guest}"])
                        sleep(0.02)
                        connection.execute(one, [rooms[0]])
                    self.locked += 1
                except psycopg.errors.DeadlockDetected:
                    self.deadlocks += 1

    async def _come_and_go(self, stage: Stage, until: float) -> None:
        guest = stage.clients[-1]
        room, members = next(iter(stage.rooms.items()))
        owner, body = members[0], {"user": guest.id}
        while monotonic() < until:
            for method, path, what in (
                ("POST", f"groups/{room}/members/", body),
                ("DELETE", f"groups/{room}/members/{guest.id}/", None),
            ):
                try:
                    await owner.rest(method, path, what)
                except (Lost, Refused):
                    await asyncio.sleep(0.1)

    async def inspect(self, stage: Stage) -> None:
        # The guest was in and out of a room that the checker does not know them to be of.
        room, guest = next(iter(stage.rooms)), stage.clients[-1].name
        records = stage.recorder.records
        records[:] = [one for one in records if (one.room, one.client) != (room, guest)]
