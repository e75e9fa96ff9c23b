"""Many messages under way on each socket, and rooms that both processes write to and another hand locks."""

from __future__ import annotations

import asyncio
import random
import signal
from contextlib import suppress
from itertools import pairwise
from time import monotonic, sleep
from typing import Any, ClassVar
from uuid import uuid4

import orjson
import psycopg
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.faults.client import Client
from tests.faults.connection import ANSWERED_WITHIN
from tests.faults.fault import Fault
from tests.faults.of_clients import raw_of
from tests.faults.record import digest, row_of_message
from tests.faults.server import Cluster, Server
from tests.faults.stage import Stage


class Pouring:
    """One person says much in one room without waiting for answers."""

    def __init__(self, client: Client, room: str) -> None:
        self.client = client
        self.room = room
        self.asked: dict[str, dict[str, Any]] = {}
        # The seq of each message acknowledged, by the order in which they were sent.
        self.places: dict[str, int] = {}
        self.lost = False
        # The first acknowledgement came, or none will.
        self.begun = asyncio.Event()

    async def pour(self, server: Server, many: int) -> None:
        wire = await raw_of(self.client, server)
        hearing = asyncio.create_task(self._hear(wire, many))
        try:
            with suppress(ConnectionClosed):
                for number in range(many):
                    await wire.send(self._frame(number), text=True)
            await hearing
        finally:
            self.begun.set()
            wire.transport.abort()
        for what in self.asked.values():
            self.client.note("info", "send", **what, more={"why": "no answer"})

    def _frame(self, number: int) -> bytes:
        text, id, ref = f"{self.client.name} {uuid4().hex}", str(uuid4()), f"{number}"
        call = next(self.client.recorder.calls)
        what = {"call": call, "room": self.room, "id": id, "hash": digest(text)}
        self.asked[ref] = {**what, "sender": self.client.name}
        self.client.note("invoke", "send", via="socket", **self.asked[ref])
        frame = {"type": "message.send", "ref": ref, "room": self.room, "id": id, "text": text}
        return orjson.dumps(frame)

    async def _hear(self, wire: ClientConnection, many: int) -> None:
        answers = 0
        try:
            async with asyncio.timeout(2 * ANSWERED_WITHIN):
                while answers < many:
                    frame = orjson.loads(await wire.recv())
                    if frame["type"] in {"done", "failed"}:
                        answers += 1
                        self._take(frame)
        except TimeoutError:
            self.lost = True
        except ConnectionClosed:
            pass

    def _take(self, frame: dict[str, Any]) -> None:
        what = self.asked.pop(frame["ref"], None)
        if what is None:
            self.client.note("event", "again")
        elif frame["type"] == "failed":
            why = {"why": frame["error"]["code"]}
            self.client.note("info", "send", **what, more=why)
        else:
            row = row_of_message(frame["result"]["message"])
            self.places[frame["ref"]] = row.seq
            self.begun.set()
            told = {"told": [row.id, row.hash]}
            self.client.note("ok", "send", **what, seq=row.seq, via="socket", more=told)

    @property
    def in_order(self) -> bool:
        """Whether what was sent before something else stands before it."""
        seqs = [self.places[ref] for ref in sorted(self.places, key=int)]
        return all(one < other for one, other in pairwise(seqs))


class Hammered(Fault):
    """Both processes write to all the rooms as fast as they can, and then one of them is told to leave."""

    name = "lanes"
    says = "6 rooms hammered over both processes, locked by another hand now and then; SIGTERM meanwhile"
    seconds = 1.0
    people = 4
    rooms = 6
    per_second = 10.0
    many: ClassVar[int] = 150

    async def inject(self, stage: Stage) -> None:
        until = asyncio.Event()
        hand = asyncio.create_task(
            asyncio.to_thread(_lock, stage.cluster, list(stage.rooms), until)
        )
        try:
            quiet, cut_off = self._people(stage), self._people(stage)
            await self._wave(stage, quiet)
            leaving = stage.cluster.servers[-1]
            second = asyncio.create_task(self._wave(stage, cut_off))
            await cut_off[0].begun.wait()
            await asyncio.to_thread(leaving.leave, signal.SIGTERM)
            await second
            await asyncio.to_thread(leaving.restart)
        finally:
            until.set()
            locked = await hand
        acked, sent = sum(len(one.places) for one in quiet), self.many * len(quiet)
        left = sum(len(one.places) for one in cut_off)
        self.effective = locked > 0 and left < sent
        stage.notes.append(f"{acked} and {left} of {sent} acknowledged, {locked} times locked")
        if acked != sent:
            stage.wrong.append(f"{sent - acked} of {sent} sends were not acknowledged")
        poured = quiet + cut_off
        if any(one.lost for one in poured):
            stage.wrong.append("an open socket was not answered")
        if unordered := sum(not one.in_order for one in poured):
            stage.wrong.append(f"{unordered} sockets were overtaken by themselves")

    def _people(self, stage: Stage) -> list[Pouring]:
        """Two people of each room."""
        rooms = stage.rooms.items()
        return [Pouring(one, room) for room, members in rooms for one in members[:2]]

    async def _wave(self, stage: Stage, people: list[Pouring]) -> None:
        """Have people pour, the two of a room each at another process."""
        servers = stage.cluster.servers
        async with asyncio.TaskGroup() as together:
            for number, one in enumerate(people):
                together.create_task(one.pour(servers[number % len(servers)], self.many))


def _lock(cluster: Cluster, rooms: list[str], until: asyncio.Event) -> int:
    """Hold one room after the other for a moment; returns how many times."""
    locked, last = 0, monotonic() + 60
    with psycopg.connect(cluster.postgres.url) as connection:
        while not until.is_set() and monotonic() < last:
            with connection.transaction():
                one = "SELECT 1 FROM chat_room WHERE id = %s FOR NO KEY UPDATE"
                connection.execute(one, [random.choice(rooms)])
                sleep(0.03)
            locked += 1
            sleep(0.01)
    return locked
