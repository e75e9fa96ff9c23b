"""Faults of Redis and of what it carries: gone, emptied, hung, cut off, idle, flooded, repeating itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from time import monotonic_ns
from typing import ClassVar

import redis.asyncio

from tests.faults.fault import Fault
from tests.faults.measures import latencies, percentile
from tests.faults.proxy import Proxy
from tests.faults.record import History
from tests.faults.server import Cluster
from tests.faults.stage import Stage

ACKED_WITHIN = 4.0


class Restarted(Fault):
    """Redis is killed, and comes back with nothing in it."""

    name = "F2"
    says = "Redis killed, restarted empty"
    redis_down = True
    seconds = 5.0

    async def inject(self, stage: Stage) -> None:
        stage.cluster.redis.kill()

    async def heal(self, stage: Stage) -> None:
        await asyncio.to_thread(stage.cluster.redis.start)


class RestartedSoon(Restarted):
    """The same, for a run among the tests."""

    seconds = 3.0


class Flushed(Fault):
    """Redis forgets everything while all sockets stay."""

    name = "F3"
    says = "FLUSHALL, sockets untouched"
    seconds = 4.0

    async def inject(self, stage: Stage) -> None:
        await asyncio.to_thread(stage.cluster.redis.flush)
        self.at = monotonic_ns()
        self.open = {one.connection.number for one in stage.clients if one.connection}

    async def inspect(self, stage: Stage) -> None:
        heard = {
            one.room
            for one in stage.recorder.records
            if one.op == "recv" and one.via == "live" and one.t > self.at and one.conn in self.open
        }
        if silent := set(stage.rooms) - heard:
            stage.wrong.append(f"{len(silent)} rooms were silent on the old sockets")


class Hung(Fault):
    """Redis holds its connections and answers nothing."""

    name = "F4"
    says = "Redis hangs (SIGSTOP)"
    redis_down = True
    seconds = 12.0

    async def inject(self, stage: Stage) -> None:
        stage.cluster.redis.hang()
        self.newcomer = stage.clients[1]
        self.before = self.newcomer.reconnects
        self.newcomer.hang_up()

    async def heal(self, stage: Stage) -> None:
        if self.newcomer.connection is None or self.newcomer.reconnects == self.before:
            stage.wrong.append("nobody could connect while Redis hung")
        stage.cluster.redis.go_on()

    async def inspect(self, stage: Stage) -> None:
        times = latencies(History(stage.recorder.records, {}, {}, stage.windows), inside=True)
        slowest = percentile(times, 0.99)
        stage.notes.append(f"ack p99 {slowest:.2f} s while it hung")
        if slowest > ACKED_WITHIN:
            stage.wrong.append(f"acknowledgements took {slowest:.1f} s")


class CutOff(Fault):
    """One process alone loses its way to Redis, and is not told."""

    name = "F5"
    says = "Redis black-holed for one process"
    seconds = 12.0
    redis_down = True

    async def prepare(self, cluster: Cluster) -> Sequence[str]:
        self.proxy = await Proxy(f"127.0.0.1:{cluster.redis.port}").__aenter__()
        url = f"redis://{self.proxy.address}/0"
        await asyncio.to_thread(cluster.servers[0].restart, REDIS_URL=url)
        return ()

    async def inject(self, stage: Stage) -> None:
        self.effective = self.proxy.open > 0
        self.proxy.blackhole()

    async def heal(self, stage: Stage) -> None:
        self.proxy.pass_again()

    async def release(self, cluster: Cluster) -> None:
        await asyncio.to_thread(cluster.servers[0].restart)
        await self.proxy.__aexit__(None, None, None)


class Idle(Fault):
    """Nothing is said for so long that subscriptions which expire would have done so."""

    name = "F6"
    says = "sockets idle, then one message a room"
    seconds = 0.0
    idle: ClassVar[float] = 12.0

    async def inject(self, stage: Stage) -> None:
        await stage.load.stop()
        await asyncio.sleep(self.idle)
        for room, members in stage.rooms.items():
            await stage.load.say(members[0], room)


class Burst(Fault):
    """More at once than any queue between the processes holds."""

    name = "F7"
    says = "1,000 messages, 100 at once, to 40 sockets of one room"
    seconds = 0.0
    people = 40
    rooms = 1
    burst: ClassVar[int] = 1_000
    at_once: ClassVar[int] = 100

    async def inject(self, stage: Stage) -> None:
        ((room, members),) = stage.rooms.items()
        turn = asyncio.Semaphore(self.at_once)

        async def say(number: int) -> None:
            async with turn:
                await stage.load.say(members[number % (len(members) - 1)], room)

        await asyncio.gather(*(say(number) for number in range(self.burst)))


class Repeated(Fault):
    """Everything that goes through Redis comes again, later, and not in order."""

    name = "F25"
    says = "each push repeated late and out of order"

    async def inject(self, stage: Stage) -> None:
        self.again = 0
        self.echo = asyncio.create_task(self._echo(stage.cluster.redis.url))

    async def _echo(self, url: str) -> None:
        seen: set[tuple[bytes, bytes]] = set()
        async with redis.asyncio.Redis.from_url(url) as client, client.pubsub() as heard:
            await heard.psubscribe("*")
            waiting: list[tuple[bytes, bytes]] = []
            async for message in heard.listen():
                if message["type"] != "pmessage":
                    continue
                one = (message["channel"], message["data"])
                if one not in seen:
                    seen.add(one)
                    waiting += [one, one]
                if len(waiting) > 20:
                    random.shuffle(waiting)
                    while waiting:
                        await client.publish(*waiting.pop())
                        self.again += 1

    async def heal(self, stage: Stage) -> None:
        self.echo.cancel()
        await asyncio.gather(self.echo, return_exceptions=True)
        self.effective = self.again > 0
        stage.notes.append(f"{self.again} pushes repeated")
