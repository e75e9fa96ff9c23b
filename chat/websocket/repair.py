"""Compares the positions of a hub with the log, and reads from it what the process missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress

from chat import metrics
from chat.actions.epoch import renew_epoch
from chat.conf import chat_settings
from chat.events import Published
from chat.queries import log
from chat.websocket.bridge import cross
from chat.websocket.hub import Hub
from chat.websocket.reading import NewEpoch

logger = logging.getLogger("chat.websocket.repair")

# Age in seconds of the events that a look compares.
RECENT = 60


async def mend(hub: Hub) -> None:
    """Read from the log what did not come in time, without end: one query for all rooms with a hole."""
    while True:
        await hub.gap.wait()
        await asyncio.sleep(chat_settings.GAP_WAIT)
        hub.gap.clear()
        suspects, hub.behind = hub.behind, set()
        try:
            await repair(hub, suspects)
        except BaseException:
            # The next attempt must find them still suspected.
            for room in suspects:
                hub.suspect(room)
            raise


async def repair(hub: Hub, suspects: Iterable[str]) -> None:
    """Bring rooms up to their logs; those of which there is more to read stay suspected."""
    cursors = {r: c.seq for r in suspects if (c := hub.rooms.get(r)) and c.seq is not None}
    if not cursors:
        return
    try:
        items = await hub.read(log.missed, cursors, chat_settings.RESUME_MAX)
    except NewEpoch:
        return
    if items:
        metrics.repaired(len({item.room for item in items}), len(items))
    for item in items:
        _step_over(hub, item)
        hub.accept([item])
    if len(items) == chat_settings.RESUME_MAX or len(cursors) > log.SLICE:
        for room in cursors:
            hub.suspect(room)


def _step_over(hub: Hub, item: Published) -> None:
    """Where the log itself begins later than our position (it was pruned), go on from its beginning."""
    channel = hub.rooms.get(item.room)
    if channel is not None and channel.seq is not None and item.seq > channel.seq + 1:
        channel.seq = item.seq - 1


async def look(hub: Hub, *, everywhere: bool) -> None:
    """Compare positions with the log: of the rooms with recent events, or of all."""
    before = {room: channel.seq for room, channel in hub.rooms.items()}
    try:
        if everywhere:
            heads = await hub.read(log.heads_of, list(before))
        else:
            heads = await hub.read(log.recent_heads, RECENT)
    except NewEpoch:
        return
    if any(head < (before.get(room) or 0) for room, head in heads.items()):
        await _renew(hub)
        return
    for room, head in heads.items():
        channel = hub.rooms.get(room)
        if channel is not None and channel.seq is not None and channel.seq < head:
            hub.suspect(room)


async def _renew(hub: Hub) -> None:
    """Renew the epoch, because a head went back without one: cursors beyond it would miss what comes there."""
    logger.error("the log of a room is shorter than it was: the epoch is renewed")
    await cross(renew_epoch, hub.epoch)
    with suppress(NewEpoch):
        await hub.read(log.heads_of, ())
