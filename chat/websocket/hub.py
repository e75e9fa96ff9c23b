"""One per process: gives each event of a room, once and in order, to every local socket in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from chat import metrics
from chat.events import Published
from chat.outlets import sockets as outlet
from chat.queries import standings
from chat.websocket.leaving import reconnect_in
from chat.websocket.reading import Reader
from chat.websocket.run import Run, runs
from chat.websocket.socket import Seat, Socket
from chat.websocket.together import Together

logger = logging.getLogger("chat.websocket.hub")

# Layer messages that wait to be sent while the layer is slow; older ones are left to the others' ticks.
OUTGOING_MAX = 10_000
EARLY_MAX = 1_000


@dataclass(slots=True)
class Channel:
    """A room with local sockets. ``seq`` is the last event handed to them; None until the log was read."""

    seq: int | None = None
    sockets: dict[Socket, None] = field(default_factory=dict)
    early: dict[int, Published] = field(default_factory=dict)
    subscribed: bool = False

    def forget(self) -> None:
        """Become a room that must be opened anew; the layer goes on sending its events here."""
        self.seq = None
        self.sockets.clear()
        self.early.clear()


# What an event does to the sockets themselves.
Effect = Callable[["Hub", Channel, Published], None]
Answer = Callable[[Any], None]


def _call_each(told: list[tuple[Answer, Any]]) -> None:
    for answer, result in told:
        answer(result)


class Hub:
    """The rooms that this process has sockets in. All of it belongs to one event loop."""

    def __init__(self, before: Effect, after: Effect) -> None:
        """Have each event act on the sockets by ``before`` they are given it, and by ``after``."""
        self.id = uuid4().hex
        self.before = before
        self.after = after
        self.reader = Reader(self.begin)
        self.read = self.reader.read
        self.rooms: dict[str, Channel] = {}
        self.sockets: dict[Socket, None] = {}
        self.behind: set[str] = set()
        self.moved: set[str] = set()
        self.gap = asyncio.Event()
        self.outgoing: asyncio.Queue[list[Published]] = asyncio.Queue(OUTGOING_MAX)
        self.standings = Together(lambda asked: self.read(standings.standings_of, asked))
        self.starting = asyncio.Lock()
        self.attached = asyncio.Event()
        self.layer = outlet.shared_layer()
        self.layer_channel: str | None = None
        self._loop = asyncio.get_running_loop()
        outlet.attach(self.post)

    @property
    def epoch(self) -> str:
        """The epoch of all positions here; empty until the first look."""
        return self.reader.epoch

    # Events come in: from this process, from the layer, from the log.

    def post(self, items: list[Published]) -> None:
        """Take what this process committed, from whichever thread; after the loop's end, no more."""
        if self._loop.is_closed():
            outlet.detach(self.post)
        else:
            self._loop.call_soon_threadsafe(self._own, items)

    def _own(self, items: list[Published]) -> None:
        self.accept(items)
        if self.layer is not None:
            if self.outgoing.full():
                self.outgoing.get_nowait()
                metrics.dropped("outgoing")
            self.outgoing.put_nowait(items)

    def hand_back(self, told: list[tuple[Answer, Any]]) -> None:
        """Call each of these with what came of it, here in the loop, from whichever thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_call_each, told)

    def accept(self, items: Iterable[Published]) -> None:
        """Hand on what is next in its room, drop what is old, keep what came early."""
        by_room: dict[str, list[Published]] = {}
        for item in items:
            by_room.setdefault(item.room, []).append(item)
        for room, of_room in by_room.items():
            channel = self.rooms.get(room)
            if channel is not None:
                self._take(channel, of_room)

    def _take(self, channel: Channel, items: Iterable[Published]) -> None:
        following: list[Published] = []
        for item in items:
            if not item.seq:
                self._tell(channel, [item])
            elif channel.seq is None or item.seq > channel.seq + 1:
                self._keep_early(channel, item)
            elif item.seq == channel.seq + 1:
                following += self._advanced(channel, item)
        self._hand(channel, following)

    def _keep_early(self, channel: Channel, item: Published) -> None:
        if len(channel.early) < EARLY_MAX:
            channel.early[item.seq] = item
        else:
            metrics.dropped("early")
        if channel.seq is not None:
            self.suspect(item.room)

    def _advanced(self, channel: Channel, item: Published | None) -> Iterator[Published]:
        """Go on to the next event, and to those that came early and follow it."""
        while item is not None:
            channel.seq = item.seq
            self.moved.add(item.room)
            yield item
            item = channel.early.pop(item.seq + 1, None)

    def _hand(self, channel: Channel, items: Iterable[Published]) -> None:
        """Hand on events that follow each other: messages together, the others one by one with what they do."""
        for some in runs(items):
            for item in some:
                self.before(self, channel, item)
            self._tell(channel, some)
            for item in some:
                self.after(self, channel, item)

    def _tell(self, channel: Channel, items: Sequence[Published]) -> None:
        run = Run.of(items)
        for socket in tuple(channel.sockets):
            socket.push(run)
        metrics.delivered(len(items) * len(channel.sockets))

    def suspect(self, room: str) -> None:
        """Have a room's log read shortly, unless the hole closes by itself."""
        self.behind.add(room)
        self.gap.set()

    # Sockets come and go.

    def seat(self, socket: Socket, room: str, seat: Seat) -> bool:
        """Put a socket into a room. Returns whether the room is new here and must be opened."""
        socket.seats[room] = seat
        channel = self.rooms.setdefault(room, Channel())
        channel.sockets[socket] = None
        return channel.seq is None

    async def open(self, names: Collection[str], asked: standings.Asked) -> standings.Standings:
        """Subscribe to rooms, and only then read where someone's rooms stand: no event falls between the two."""
        await self.subscribe(names)
        mine = await self.standings.ask(asked)
        for room in names:
            channel = self.rooms.get(room)
            if channel is not None and channel.seq is None and room in mine:
                self.catch_up(channel, room, mine[room].head)
        return mine

    def catch_up(self, channel: Channel, room: str, head: int) -> None:
        """Set a room's place, and hand on what came early and is next."""
        channel.seq = head
        channel.early = {seq: item for seq, item in channel.early.items() if seq > head}
        self._hand(channel, list(self._advanced(channel, channel.early.pop(head + 1, None))))
        if channel.early:
            self.suspect(room)

    async def subscribe(self, names: Iterable[str]) -> None:
        """Ask the layer for the rooms' events. What it refuses now is asked for again at each tick."""
        if self.layer is None or self.layer_channel is None or outlet.resting():
            return
        for room in names:
            channel = self.rooms.get(room)
            if channel is None or channel.subscribed:
                continue
            try:
                async with asyncio.timeout(outlet.LAYER_TIMEOUT):
                    await self.layer.group_add(outlet.group_of(room), self.layer_channel)
            except Exception as error:
                outlet.let_rest("subscribe", error)
                return
            channel.subscribed = True

    def unseat(self, socket: Socket, room: str) -> None:
        """Take a socket out of a room; the last one out ends the room's subscription at the next tick."""
        socket.seats.pop(room, None)
        channel = self.rooms.get(room)
        if channel is not None:
            channel.sockets.pop(socket, None)

    def drop(self, socket: Socket) -> None:
        """Forget a socket that has ended."""
        self.sockets.pop(socket, None)
        for room in tuple(socket.seats):
            self.unseat(socket, room)

    async def leave_empty(self) -> None:
        """Let go of rooms without sockets. Between ticks, so that a reconnect finds them still open."""
        empty = [room for room, channel in self.rooms.items() if not channel.sockets]
        for room in empty:
            channel = self.rooms[room]
            if channel.sockets:
                continue
            del self.rooms[room]
            if self.layer is None or not channel.subscribed or outlet.resting():
                continue
            try:
                async with asyncio.timeout(outlet.LAYER_TIMEOUT):
                    await self.layer.group_discard(outlet.group_of(room), self.layer_channel)
            except Exception as error:
                # What it still sends of this room is for nobody here, and dropped.
                outlet.let_rest("unsubscribe", error)

    # What the hub does by the clock; engine.py keeps each of these going.

    async def connect(self) -> None:
        """Get our address in the layer. Without it this process hears the others by its tick alone."""
        if self.layer is None or self.layer_channel is not None or outlet.resting():
            return
        try:
            async with asyncio.timeout(outlet.LAYER_TIMEOUT):
                self.layer_channel = await self.layer.new_channel("chat")
            self.attached.set()
        except Exception as error:
            outlet.let_rest("connect", error)

    async def listen(self) -> None:
        """Take events from the layer, for ever."""
        await self.attached.wait()
        while self.layer is not None:
            message = await self.layer.receive(self.layer_channel)
            if message.get("type") != "chat.events" or message["origin"] == self.id:
                continue
            # A seq of another epoch is another place. Processes without a hub, or of an earlier version, name none.
            if message.get("epoch") in (None, "", self.epoch):
                self.accept(outlet.unpacked(message))

    async def pass_on(self) -> None:
        """Send this process's own events to the layer, for ever; what waits goes together."""
        while True:
            items = await self.outgoing.get()
            while not self.outgoing.empty():
                items = items + self.outgoing.get_nowait()
            await outlet.send_to_layer(items, origin=self.id, epoch=self.epoch)

    # Another log: a backup was restored, or another server took over.

    def begin(self) -> None:
        """Forget every position, and have all sockets come back: their cursors will be answered `reset`."""
        logger.warning(
            "the log is another one (restored, failed over or renewed): %d sockets are closed",
            len(self.sockets),
        )
        while not self.outgoing.empty():
            self.outgoing.get_nowait()
        self.behind.clear()
        self.moved.clear()
        for channel in self.rooms.values():
            channel.forget()
        sockets, self.sockets = self.sockets, {}
        for socket in sockets:
            socket.seats.clear()
            # One that is not greeted yet meets the new epoch in its handshake.
            if socket.greeted:
                socket.leave(reconnect_in(len(sockets)))

    async def attend(self) -> None:
        """Have the layer know what we hear, as far as it does not; apart from looking, which never waits for it."""
        async with self.starting:
            await self.connect()
        await self.subscribe(tuple(self.rooms))
        await self.leave_empty()
