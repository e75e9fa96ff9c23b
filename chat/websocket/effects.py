"""What an event does to the sockets themselves: who hears a room from now on, and who no longer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import orjson

from chat.errors import Forbidden, Unauthenticated
from chat.events import Published
from chat.websocket.frames import refuse
from chat.websocket.hub import Channel, Hub
from chat.websocket.replay import follow
from chat.websocket.socket import TOO_SLOW, Socket

logger = logging.getLogger("chat.websocket.effects")

# Tasks that nothing refers to are collected while they run.
_following: set[asyncio.Task[None]] = set()


def part(hub: Hub, channel: Channel, item: Published) -> None:
    """Let an event act on the sockets that are not to be given it.

    Who goes is told by their own log alone: it may reach a process before the room's log does, and what they
    hear is not to hang on that.
    """
    effect = PARTINGS.get(item.type)
    if effect is not None:
        effect(hub, channel, item, orjson.loads(item.text))


def apply(hub: Hub, channel: Channel, item: Published) -> None:
    """Let an event act on the sockets that were just given it."""
    effect = EFFECTS.get(item.type)
    if effect is not None:
        effect(hub, channel, item, orjson.loads(item.text))


def _member_gone(hub: Hub, channel: Channel, item: Published, event: dict[str, Any]) -> None:
    _person_gone(hub, channel, item, event["membership"]["user"]["id"])


def _member_banned(hub: Hub, channel: Channel, item: Published, event: dict[str, Any]) -> None:
    _person_gone(hub, channel, item, event["user"]["id"])


def _person_gone(hub: Hub, channel: Channel, item: Published, gone: str) -> None:
    for socket in tuple(channel.sockets):
        if str(socket.viewer.pk) == gone:
            _gone_at(hub, socket, item)


def _room_gone(hub: Hub, channel: Channel, item: Published, event: dict[str, Any]) -> None:
    for socket in tuple(channel.sockets):
        _gone_at(hub, socket, item)


def _gone_at(hub: Hub, socket: Socket, item: Published) -> None:
    # A seat whose cursor is past this event was taken after it: the person has come back since.
    if socket.seats[item.room].cursor <= item.seq:
        _take_from(hub, socket, item.room)


def _take_from(hub: Hub, socket: Socket, room: str) -> None:
    hub.unseat(socket, room)
    if socket.only == room:
        refuse(socket, Forbidden("You are no longer in this room."))


def _joined(hub: Hub, channel: Channel, item: Published, event: dict[str, Any]) -> None:
    room = event.get("joined")
    for socket in tuple(channel.sockets) if room else ():
        if socket.only is None:
            task = asyncio.create_task(_follow(hub, socket, str(room), event["snapshot"]["head"]))
            _following.add(task)
            task.add_done_callback(_following.discard)


async def _follow(hub: Hub, socket: Socket, room: str, after: int) -> None:
    try:
        await follow(hub, socket, room, after)
    except Exception as error:
        # Rather a reconnect, which resumes, than a socket that silently lacks a room.
        logger.warning("a socket could not follow into a room: %s", type(error).__name__)
        socket.close(TOO_SLOW)


def _left(hub: Hub, channel: Channel, item: Published, event: dict[str, Any]) -> None:
    for socket in tuple(channel.sockets):
        # As above: who opened a socket after they had come back has both behind them.
        knows_better = socket.seats[item.room].cursor > item.seq
        if event["left"] in socket.seats and not knows_better:
            _take_from(hub, socket, event["left"])


def _device_ended(hub: Hub, channel: Channel, item: Published, event: dict[str, Any]) -> None:
    for socket in tuple(channel.sockets):
        if socket.grounds is not None and socket.grounds.device == event["device"]:
            refuse(socket, Unauthenticated("This device was signed out."))


def _profile_updated(hub: Hub, channel: Channel, item: Published, event: dict[str, Any]) -> None:
    for socket in tuple(channel.sockets):
        socket.viewer.display_name = event["user"]["display_name"]
        socket.viewer.avatar_url = event["user"]["avatar_url"] or ""


Acts = dict[str, Callable[[Hub, Channel, Published, dict[str, Any]], None]]

PARTINGS: Acts = {
    "member.left": _member_gone,
    "member.removed": _member_gone,
    "member.banned": _member_banned,
}
EFFECTS: Acts = {
    "room.deleted": _room_gone,
    "room.joined": _joined,
    "room.left": _left,
    "device.ended": _device_ended,
    "profile.updated": _profile_updated,
}
