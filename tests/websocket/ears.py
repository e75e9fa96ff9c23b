"""Real sockets in a real hub, with an ear of ours where the server would be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from django.db import OperationalError
from django.db.backends.signals import connection_created

from chat.events import Published, encode
from chat.models import Profile, Room
from chat.outlets import sockets as outlet
from chat.queries.grounds import Grounds
from chat.queries.standings import Standings, standings
from chat.websocket import effects
from chat.websocket.bridge import cross
from chat.websocket.handshake import enter, say_hello
from chat.websocket.hub import Effect, Hub
from chat.websocket.replay import resume
from chat.websocket.signin import SignedIn
from chat.websocket.socket import Seat, Socket

# Ample: what does not come within it does not come.
WITHIN = 10

Frame = dict[str, Any]


class Ear:
    """The server's end of one socket: keeps what it is sent, and takes nothing while it is shut."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.code: int | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.pressed = asyncio.Event()
        self._news = asyncio.Event()

    async def __call__(self, message: Frame) -> None:
        if not self.open.is_set():
            self.pressed.set()
            await self.open.wait()
        if message["type"] == "websocket.close":
            self.code = message["code"]
        else:
            self.frames.append(orjson.loads(message["text"]))
        self._news.set()

    def shut(self) -> None:
        self.open.clear()
        self.pressed.clear()

    async def until(self, so: Callable[[], object]) -> None:
        """Wait for what comes until something holds."""
        while not so():
            self._news.clear()
            await self._news.wait()

    async def closed(self) -> int:
        await self.until(lambda: self.code is not None)
        return int(self.code or 0)

    @property
    def types(self) -> list[str]:
        return [frame["type"] for frame in self.frames]

    @property
    def seqs(self) -> list[int]:
        """The places of all events that came, in the order in which they came."""
        return [frame["seq"] for frame in self.frames if frame.get("seq")]


def play(scene: Callable[[Hub], Awaitable[None]], effect: Effect = effects.apply) -> None:
    """Run a scene with a hub of its own, which hears only what the scene gives it."""

    async def run() -> None:
        hub = Hub(effects.part, effect)
        try:
            async with asyncio.timeout(WITHIN):
                await scene(hub)
        finally:
            outlet.detach(hub.post)
            if hub.layer_channel is not None:
                await hub.layer.flush()

    asyncio.run(run())


def event(room: str, seq: int, type: str = "message.sent", **payload: Any) -> Published:
    text = encode({"type": type, "room": room, "seq": seq, **payload})
    return Published(room, seq, type, text, seq)


def at(items: Iterable[Published], room: Room | str) -> list[Published]:
    """Return those of some events that are in a room's log, so that its own are heard and no other."""
    name = room if isinstance(room, str) else str(room.pk)
    return [item for item in items if item.room == name]


def sit(
    hub: Hub,
    ear: Ear,
    places: dict[str, int],
    viewer: Profile | None = None,
    *,
    history_from: int = 0,
    only: str | None = None,
) -> Socket:
    """Put a socket into rooms whose logs stand at these places, live."""
    socket = Socket(ear, viewer or Profile(username="nobody"), own_log="own", only=only)
    socket.greeted = True
    hub.sockets[socket] = None
    for room, seq in places.items():
        silent = only is not None and room != only
        if hub.seat(socket, room, Seat(history_from, seq, silent=silent)):
            hub.catch_up(hub.rooms[room], room, seq)
        socket.release(room, seq)
    return socket


async def come_in(hub: Hub, ear: Ear, person: Profile, only: Room | None = None) -> Socket:
    """Open a person's socket as the handshake does, up to its hello."""
    mine = await cross(standings, person, only and only.pk)
    return await settle(hub, ear, person, mine, only)


async def settle(
    hub: Hub, ear: Ear, person: Profile, mine: Standings, only: Room | None = None
) -> Socket:
    """Do the rest of the handshake, however old what was read of the rooms is by now."""
    who = SignedIn(person, Grounds(person.pk, None, ""), None)
    socket = await enter(hub, {}, ear, who, str(only.pk) if only else None, mine)
    say_hello(hub, socket)
    return socket


async def begun(hub: Hub, ear: Ear, socket: Socket, cursors: dict[str, int]) -> asyncio.Task[int]:
    """Begin a resume whose reader takes nothing yet; it has read where the rooms stand."""
    ear.shut()
    resuming = asyncio.create_task(resume(hub, socket, hub.epoch, cursors))
    await ear.pressed.wait()
    return resuming


@contextmanager
def database_away() -> Iterator[None]:
    """Let no thread of the bridge connect: each does so anew for every crossing."""

    def refuse(**signal: object) -> None:
        raise OperationalError("The database is away.")

    connection_created.connect(refuse)
    try:
        yield
    finally:
        connection_created.disconnect(refuse)


@contextmanager
def queries() -> Iterator[list[str]]:
    """What the threads of the bridge ask meanwhile: each connects anew for every crossing."""
    asked: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    def watch(connection: Any, **signal: object) -> None:
        if note not in connection.execute_wrappers:
            connection.execute_wrappers.append(note)

    connection_created.connect(watch)
    try:
        yield asked
    finally:
        connection_created.disconnect(watch)


@contextmanager
def going(work: Awaitable[None]) -> Iterator[asyncio.Task[None]]:
    """Keep something going that has no end, while the scene looks at what it does."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()


# The people of the domain; in this folder their names mean callers over the wire otherwise.


@pytest.fixture
def ann(person: Callable[..., Profile]) -> Profile:
    return person("ann")


@pytest.fixture
def bob(person: Callable[..., Profile]) -> Profile:
    return person("bob")
