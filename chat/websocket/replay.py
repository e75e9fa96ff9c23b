"""What a socket missed: read from the log page by page, then handed over to what is live, without a hole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from chat.conf import chat_settings
from chat.queries import log, rooms
from chat.queries.people import Person
from chat.queries.standings import Standings, standings_among
from chat.serializers.rooms import room_shape
from chat.websocket.hub import Hub
from chat.websocket.reading import NewEpoch
from chat.websocket.socket import TOO_SLOW, Seat, Socket

Some = TypeVar("Some")
Found = TypeVar("Found")

# Events read at once; the next page is read when the reader has taken this one.
PAGE = 200
# Times LIMIT_SOCKET_ROOMS that a socket hears once rooms were joined while it was open.
JOINED = 2
# Rooms shown at once, of those that the client does not know.
ROOMS = 100


async def follow(hub: Hub, socket: Socket, room: str, after: int) -> None:
    """Let a socket hear a room that its person is now in, from the event after ``after`` on."""
    async with socket.replaying:
        if socket.closing or socket not in hub.sockets or room in socket.seats:
            return
        if _is_full(socket):
            # It reconnects, and then hears the most recently active rooms.
            socket.close(TOO_SLOW)
            return
        new = hub.seat(socket, room, Seat(history_from=0, cursor=after))
        asked = (socket.viewer.pk, UUID(room))
        standing = (await hub.open([room] if new else [], asked)).get(room)
        if standing is None or room not in socket.seats:
            hub.unseat(socket, room)
            return
        socket.seats[room].history_from = standing.history_from
        cursors = {room: min(after, standing.head)}
        await _replay(hub, socket, cursors, {room: standing})
        socket.release(room, cursors[room])


def _is_full(socket: Socket) -> bool:
    most: int | None = chat_settings.LIMIT_SOCKET_ROOMS
    return most is not None and len(socket.seats) >= JOINED * most


async def resume(hub: Hub, socket: Socket, epoch: str, cursors: dict[str, int]) -> int:
    """Give a socket what its cursors miss, each room's end marked ``resumed`` or ``reset``; then go live.

    Returns the number of rooms. Raises Unavailable, after which every room is live where it was.
    """
    async with socket.replaying:
        seats = {room: socket.hold(room) for room, seat in socket.seats.items() if not seat.silent}
        try:
            mine = _as_seated(socket, cursors) or await hub.standings.ask(socket.asked)
            mine = await _with_left_out(hub, socket, cursors, mine)
            known = {room: cursors[room] for room in mine if room in cursors and room in seats}
            await _own_first(hub, socket, epoch == hub.epoch, known, mine)
            if not socket.only:
                await _tell_changes(hub, socket, cursors, mine, seats)
        finally:
            # Also after a failure: a room must not stay silent. A client that missed something sees the gap.
            for room, seat in seats.items():
                if seat.held is not None:
                    socket.release(room, seat.cursor)
        return len(known)


async def _with_left_out(
    hub: Hub, socket: Socket, cursors: dict[str, int], mine: Standings
) -> Standings:
    """Add rooms of the cursors that LIMIT_SOCKET_ROOMS left out: the person is in them all the same."""
    most: int | None = chat_settings.LIMIT_SOCKET_ROOMS
    unknown = [UUID(room) for room in cursors if room not in mine]
    if socket.only or most is None or len(mine) < most or not unknown:
        return mine
    return {**mine, **await _read(hub, socket, standings_among, unknown)}


def _as_seated(socket: Socket, cursors: dict[str, int]) -> Standings | None:
    """Return how the rooms stand without asking: as was read when the socket sat down, and what it was handed since.

    None where that was too long ago, or where something befell the person since, or where a cursor is further.
    """
    read, socket.standings = socket.standings, None
    if read is None or read.keys() != socket.seats.keys():
        return None
    if socket.seats[socket.own_log].cursor > read[socket.own_log].head:
        return None
    mine = {
        room: replace(standing, head=max(standing.head, socket.seats[room].cursor))
        for room, standing in read.items()
    }
    return None if any(cursors.get(room, 0) > mine[room].head for room in mine) else mine


async def _own_first(
    hub: Hub, socket: Socket, same_epoch: bool, known: dict[str, int], mine: Standings
) -> None:
    """Catch up the own log, which tells of rooms joined and left, and then all other rooms."""
    own = {room: seq for room, seq in known.items() if room == socket.own_log}
    others = {room: seq for room, seq in known.items() if room != socket.own_log}
    for cursors in (own, others):
        for room in tuple(cursors):
            reason = log.lost(cursors[room], mine[room].head) if same_epoch else "epoch"
            if reason:
                _reset(socket, room, reason, mine[room].head)
                del cursors[room]
        await _catch_up(hub, socket, cursors, mine)


async def _catch_up(hub: Hub, socket: Socket, cursors: dict[str, int], mine: Standings) -> None:
    lost, gone = await _replay(hub, socket, cursors, mine)
    for room, seq in cursors.items():
        if room in gone:
            _tell_left(socket, room)
        elif room in lost:
            _reset(socket, room, "pruned", mine[room].head)
        else:
            read_seq = mine[room].read_seq
            socket.answer({"type": "resumed", "room": room, "head": seq, "read_seq": read_seq})
            socket.release(room, seq)
        await socket.flushed()


async def _replay(
    hub: Hub, socket: Socket, cursors: dict[str, int], mine: Standings
) -> tuple[set[str], set[str]]:
    """Send the events past the cursors, moving them.

    Returns the rooms whose log begins later than that, and those no longer the person's.
    """
    lost: set[str] = set()
    gone: set[str] = set()
    while (wanted := _page(cursors, mine, lost | gone)) and not socket.closing:
        page, left = await _read(hub, socket, log.replay, wanted)
        gone |= left
        for room, seq, text in page:
            if room in lost or seq != cursors[room] + 1:
                lost.add(room)
                continue
            cursors[room] = seq
            socket.tell(text)
            await socket.flushed()
        lost |= {r for r, (_, last) in wanted.items() if cursors[r] < last and r not in left}
    return lost, gone


async def _read(
    hub: Hub, socket: Socket, query: Callable[[Person, Some], Found], some: Some
) -> Found:
    """Read something for a socket. Raises NewEpoch where its positions are in another epoch."""
    if socket not in hub.sockets:
        raise NewEpoch()
    return await hub.read(query, socket.viewer, some)


def _page(cursors: dict[str, int], mine: Standings, done: set[str]) -> dict[str, log.Stretch]:
    """Return what to read next: of the first rooms that are behind, so many events together."""
    wanted: dict[str, log.Stretch] = {}
    left = PAGE
    for room, seq in cursors.items():
        if room in done or seq >= mine[room].head:
            continue
        wanted[room] = (seq, min(mine[room].head, seq + left))
        left -= wanted[room][1] - seq
        if not left or len(wanted) == log.SLICE:
            break
    return wanted


def _tell_left(socket: Socket, room: str) -> None:
    socket.answer({"type": "room.left", "room": socket.own_log, "left": room})


def _reset(socket: Socket, room: str, reason: str, head: int) -> None:
    socket.answer({"type": "reset", "room": room, "reason": reason, "head": head})
    socket.release(room, head)


async def _tell_changes(
    hub: Hub,
    socket: Socket,
    cursors: dict[str, int],
    mine: Standings,
    seats: dict[str, Seat],
) -> None:
    """Tell of rooms that the client has no cursor of, and of cursors whose room is no longer the person's."""
    for room in cursors:
        if room not in mine:
            _tell_left(socket, room)
    new = [UUID(room) for room in mine if room not in cursors and room in seats]
    for start in range(0, len(new), ROOMS):
        found = await _read(hub, socket, rooms.room_views, new[start : start + ROOMS])
        for shape in map(room_shape, found.values()):
            # Not further than the head read at first: what came since is still to be told, of the own log above all.
            shape["head"] = mine[shape["id"]].head
            frame = {"joined": shape["id"], "snapshot": shape}
            socket.answer({"type": "room.joined", "room": socket.own_log, **frame})
            socket.release(shape["id"], shape["head"])
            await socket.flushed()
