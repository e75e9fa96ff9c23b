"""What people do while faults are done: they talk, say things twice, look back, and come and go."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Sequence

from tests.faults.client import Client
from tests.faults.connection import Lost, Refused

PER_SECOND = 30
PEOPLE = 10
ROOMS = 3
# What a person may have in the air; beyond it they wait, as people do.
AT_ONCE = 8
# Seconds for which a message that found no answer is sent again.
PATIENCE = 12.0


class Load:
    """Keeps the rooms talking until it is stopped. ``rooms`` maps each to who is in it."""

    def __init__(
        self, rooms: dict[str, Sequence[Client]], *, per_second: float = PER_SECOND, size: int = 40
    ) -> None:
        self.rooms = rooms
        self.per_second = per_second
        self.size = size
        self.gone: set[tuple[str, str]] = set()
        self._busy: dict[str, int] = {}
        self._works: set[asyncio.Task[None]] = set()
        self._talking: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._talking = asyncio.create_task(self._talk())

    async def stop(self) -> None:
        """Say nothing new, and return once all that was said has its answer or was given up."""
        if self._talking is not None:
            self._talking.cancel()
            await asyncio.gather(self._talking, return_exceptions=True)
            self._talking = None
        while self._works:
            await asyncio.gather(*self._works)

    async def _talk(self) -> None:
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            due = max(due + random.expovariate(self.per_second), clock() - 1)
            await asyncio.sleep(max(0.0, due - clock()))
            room = random.choice(list(self.rooms))
            client = random.choice(self.rooms[room])
            if self._busy.get(client.name, 0) < AT_ONCE and (room, client.name) not in self.gone:
                work = asyncio.create_task(self._do(client, room))
                self._works.add(work)
                work.add_done_callback(self._works.discard)

    async def _do(self, client: Client, room: str) -> None:
        self._busy[client.name] = self._busy.get(client.name, 0) + 1
        try:
            await self._one(client, room)
        except Exception as error:
            client.broken.append(error)
        finally:
            self._busy[client.name] -= 1

    async def _one(self, client: Client, room: str) -> None:
        lot = random.random()
        if lot < 0.05:
            await client.read(room, at=random.choice(client.addresses))
        elif lot < 0.075:
            await client.resume()
        elif lot < 0.10:
            client.hang_up()
        else:
            await self.say(client, room, twice=lot < 0.20)

    async def say(self, client: Client, room: str, *, twice: bool = False) -> None:
        """Say something that nobody has said before; ``twice`` repeats it under the same id."""
        text = f"{client.name} {secrets.token_hex(8)} ".ljust(self.size, "~")
        deadline = asyncio.get_running_loop().time() + PATIENCE
        row = await client.send(room, text, deadline)
        if twice and row is not None:
            await client.send(room, text, deadline, id=row.id, elsewhere=random.random() < 0.5)

    async def remove(self, owner: Client, room: str, member: Client) -> None:
        """Have the owner remove a member, and write down when that was so."""
        self.gone.add((room, member.name))
        call = next(owner.recorder.calls)
        what = {"call": call, "room": room, "more": {"user": member.name}}
        owner.note("invoke", "kick", **what)
        for _ in range(20):
            try:
                await owner.rest("DELETE", f"groups/{room}/members/{member.id}/")
            except Refused as refusal:
                # Not there any more: an answer that was lost had done it.
                if refusal.code == "not_found":
                    break
            except Lost:
                pass
            else:
                break
            await asyncio.sleep(0.5)
        else:
            owner.note("info", "kick", **what)
            return
        owner.note("ok", "kick", **what)
