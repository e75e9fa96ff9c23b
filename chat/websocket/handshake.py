"""From an accepted handshake to hello: who it is, which rooms they hear, and nothing lost in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from chat import __version__
from chat.commands import COMMANDS, validated
from chat.conf import chat_settings
from chat.errors import NotFound, RateLimited, TooLarge, Unauthenticated, Unavailable, Unsupported
from chat.queries.standings import Standings, count_rooms
from chat.serializers.people import OwnProfileSerializer
from chat.server.state import WRITE
from chat.websocket.bridge import cross
from chat.websocket.frames import parsed, ref_of
from chat.websocket.hub import Hub
from chat.websocket.limits import UNKNOWN, flow_of, place_of_address, rate_told
from chat.websocket.reading import NewEpoch
from chat.websocket.signin import (
    AUTH_TIMEOUT,
    SUBPROTOCOL,
    NamesNobody,
    SignedIn,
    sign_in,
)
from chat.websocket.socket import Seat, Send, Socket

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
# Which room a path is for; None means all of the person's.
Choose = Callable[[Scope, SignedIn], str | None]
# Who it is, and the one room that the socket is for, if it is for one.
Beginning = tuple[SignedIn, str | None]

# Characters within which a socket that named nobody must say who it is.
AUTH_FRAME_MAX = 4_096
TOO_MANY_FIRST = "Too many frames before the sign-in."
# Times that the rooms are read anew because one was joined or left meanwhile.
SETTLE_TRIES = 3
# Times that a handshake is made in a row because a new epoch began meanwhile.
EPOCH_TRIES = 2


async def admit(scope: Scope, receive: Receive, choose: Choose) -> tuple[Beginning, dict[str, Any]]:
    """Return who opens the socket, for which room, and the ref of the frame that said who, if one did.

    Raises TimeoutError (no sign-in came), ConnectionError (the client closed), ChatError.
    """
    offered = scope.get("subprotocols", ())
    if offered and SUBPROTOCOL not in offered:
        raise Unsupported(f"The subprotocol of this server is {SUBPROTOCOL}.")
    try:
        return await cross(begin, scope, None, choose), {}
    except NamesNobody:
        async with place_of_address(scope, UNKNOWN):
            flow = flow_of(scope)
            with flow.before_sign_in():
                if flow.flooding:
                    raise RateLimited(TOO_MANY_FIRST, retry_after=1) from None
                token, ref = await _first_frame(receive)
        return await cross(begin, scope, token, choose), ref


async def _first_frame(receive: Receive) -> tuple[str, dict[str, Any]]:
    async with asyncio.timeout(AUTH_TIMEOUT):
        message = await receive()
    if message["type"] == "websocket.disconnect":
        raise ConnectionError
    if len(message.get("text") or "") > AUTH_FRAME_MAX:
        raise TooLarge()
    frame = parsed(message)
    if frame["type"] != "auth":
        raise Unauthenticated()
    return validated(COMMANDS["auth"], frame)["token"], ref_of(frame)


def begin(scope: Scope, token: str | None, choose: Choose) -> Beginning:
    """Sign in and find the room of the path, in one crossing."""
    who = sign_in(scope, token)
    return who, choose(scope, who)


async def come_in(hub: Hub, scope: Scope, send: Send, who: SignedIn, only: str | None) -> Socket:
    """Read how the rooms stand and seat a socket in them, all in one epoch."""
    for _ in range(EPOCH_TRIES):
        epoch = hub.epoch
        try:
            mine = await hub.standings.ask((who.viewer.pk, UUID(only) if only else None))
            socket = await enter(hub, scope, send, who, only, mine)
        except NewEpoch:
            continue
        if hub.epoch == epoch:
            return socket
        hub.drop(socket)
    raise Unavailable()


async def enter(
    hub: Hub, scope: Scope, send: Send, who: SignedIn, only: str | None, mine: Standings
) -> Socket:
    """Seat a socket in its rooms, which stood so, so that every event after the heads it is told will reach it."""
    own_log = next(room for room, standing in mine.items() if standing.kind == "self")
    write = scope.get("state", {}).get(WRITE)
    socket = Socket(send, who.viewer, own_log=own_log, only=only, write=write)
    socket.signed_in(who.grounds, who.expires_at, who.credentials)
    socket.left_out = await _left_out(socket, mine)
    # Until hello is said nothing may be replayed: hello comes first.
    await socket.replaying.acquire()
    hub.sockets[socket] = None
    try:
        for _ in range(SETTLE_TRIES):
            new = _seat(hub, socket, mine)
            # Read again where nobody told of the time between reading and sitting, or where something befell them.
            if new or (hub.rooms[own_log].seq or 0) > mine[own_log].head:
                mine = await hub.open(new, socket.asked)
            if only and only not in mine:
                raise NotFound()
            if mine.keys() == socket.seats.keys():
                _place(hub, socket, mine)
                return socket
            # A room was joined or left meanwhile.
        raise Unavailable()
    except BaseException:
        hub.drop(socket)
        raise


async def _left_out(socket: Socket, mine: Standings) -> int:
    """Return how many of the person's rooms this socket is not to hear, because of LIMIT_SOCKET_ROOMS."""
    most: int | None = chat_settings.LIMIT_SOCKET_ROOMS
    if socket.only or most is None or len(mine) < most:
        return 0
    return max(0, await cross(count_rooms, socket.viewer) - len(mine))


def _seat(hub: Hub, socket: Socket, mine: Standings) -> list[str]:
    """Put a socket into the rooms that are its person's, and no other. Returns those that are new here."""
    for room in set(socket.seats) - set(mine):
        hub.unseat(socket, room)
    new = []
    for room, standing in mine.items():
        silent = socket.only is not None and room != socket.only
        seat = Seat(standing.history_from, standing.head, silent=silent)
        if hub.seat(socket, room, seat):
            new.append(room)
    return new


def _place(hub: Hub, socket: Socket, mine: Standings) -> None:
    for room, seat in socket.seats.items():
        seat.history_from = mine[room].history_from
        # The later of what the database said and what the hub has handed on: all after it will come.
        seat.cursor = max(mine[room].head, hub.rooms[room].seq or 0)
    socket.standings = mine


def say_hello(hub: Hub, socket: Socket) -> None:
    heard = {room: seat for room, seat in socket.seats.items() if not seat.silent}
    told = list(heard)[: chat_settings.HELLO_ROOMS]
    socket.greeted = True
    socket.answer(
        {
            "type": "hello",
            "server": {"name": "parley", "version": __version__},
            "user": OwnProfileSerializer().to_representation(socket.viewer),
            "epoch": hub.epoch,
            "heartbeat": chat_settings.HEARTBEAT,
            "limits": {
                "text": chat_settings.TEXT_MAX,
                "frame": chat_settings.FRAME_MAX,
                "resume": chat_settings.RESUME_MAX,
                "rooms": chat_settings.LIMIT_SOCKET_ROOMS,
                "writes": rate_told("LIMIT_WRITES"),
                "reads": rate_told("LIMIT_READS"),
                "frames": rate_told("LIMIT_FRAMES"),
            },
            "heads": {room: heard[room].cursor for room in told},
            "left_out": socket.left_out,
        }
    )
    for room, seat in heard.items():
        socket.release(room, seat.cursor)
    socket.replaying.release()
