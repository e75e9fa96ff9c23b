"""Keeps one hub going in each event loop that serves sockets."""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from chat import metrics
from chat.actions.devices import end_fallen, touch_devices
from chat.conf import chat_settings
from chat.errors import TokenExpired, Unauthenticated
from chat.outages import Outages
from chat.serializers.fields import rfc3339
from chat.websocket import effects
from chat.websocket.bridge import cross
from chat.websocket.frames import refuse
from chat.websocket.hub import Hub
from chat.websocket.limits import keep_places
from chat.websocket.repair import look, mend
from chat.websocket.signin import still_in
from chat.websocket.socket import TOO_SLOW, Socket

logger = logging.getLogger("chat.websocket.engine")

# Seconds before work that failed is taken up again.
PAUSE = 1
# Seconds between two looks at how late the event loop is, and the lateness that is logged.
LAG_EVERY = 0.5
LAG_TOLD = 1.0
# Sign-ins asked again in one crossing: one thread serves them, and for so long nobody else.
ASKED_AT_ONCE = 100

# Seconds between two notes that a device is seen whose socket is open.
SEEN_EVERY = 60

Work = Callable[[], Awaitable[None]]

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()
_works: WeakKeyDictionary[Hub, list[asyncio.Task[None]]] = WeakKeyDictionary()


async def running_hub() -> Hub:
    """Return this loop's hub, set going on first use. Raises Unavailable while the database is away."""
    hub = set_going()
    async with hub.starting:
        if not hub.epoch:
            await hub.connect()
            await look(hub, everywhere=False)
    return hub


def running() -> list[Hub]:
    """Return the hubs of this process, from whichever thread: one, unless loops came and went."""
    return list(_hubs.values())


def set_going() -> Hub:
    """Return this loop's hub, begun on first use; it takes and passes on what this process commits from then on."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = _begun(Hub(effects.part, effects.apply))
    return _hubs[loop]


def _begun(hub: Hub) -> Hub:
    works: dict[str, Work] = {
        "listening": hub.listen,
        "passing on": hub.pass_on,
        "mending": lambda: mend(hub),
        "attending": lambda: _attend(hub),
        "ticking": lambda: _tick(hub),
        "beating": lambda: _beat(hub),
        "watching": lambda: _watch(hub),
        "asking again": lambda: _ask_again(hub),
        "keeping places": keep_places,
        "timing": _time,
    }
    _works[hub] = [asyncio.create_task(_keep(name, work)) for name, work in works.items()]
    return hub


async def _keep(name: str, work: Work) -> None:
    """Take work up again whenever it ends: a process without its hub would be deaf and not say so."""
    outages = Outages()
    while True:
        reason = "ended"
        try:
            await work()
        except Exception as error:
            reason = type(error).__name__
        except asyncio.CancelledError:
            # Ours to obey only where it is us who was cancelled, and not something that the work awaited.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            reason = "CancelledError"
        if outages.begins(reason):
            logger.warning("%s failed, and is tried again: %s", name, reason)
        metrics.restarted(name)
        await asyncio.sleep(PAUSE)


async def _attend(hub: Hub) -> None:
    while True:
        await asyncio.sleep(chat_settings.TICK)
        await hub.attend()


async def _time() -> None:
    """Measure how late the loop is: whatever holds it up holds up every socket of the process."""
    while True:
        begun = time.monotonic()
        await asyncio.sleep(LAG_EVERY)
        late = max(0.0, time.monotonic() - begun - LAG_EVERY)
        metrics.lagged(late)
        if late > LAG_TOLD:
            logger.warning("the event loop was held up for %.1f s", late)


async def _tick(hub: Hub) -> None:
    # At first and after a failure everywhere: what was missed meanwhile may be older than what counts as recent.
    looked_everywhere = float("-inf")
    while True:
        await asyncio.sleep(chat_settings.TICK)
        everywhere = time.monotonic() - looked_everywhere > chat_settings.TICK_ALL
        await look(hub, everywhere=everywhere)
        if everywhere:
            looked_everywhere = time.monotonic()


def _expire(hub: Hub) -> None:
    """Warn sockets whose token ends soon, end those whose token has."""
    now = time.time()
    for socket in tuple(hub.sockets):
        left = float("inf") if socket.expires_at is None else socket.expires_at - now
        if left <= 0:
            refuse(socket, TokenExpired())
        elif left <= chat_settings.EXPIRING and socket.greeted and not socket.warned:
            socket.warned = True
            at = datetime.datetime.fromtimestamp(now + left, datetime.UTC)
            socket.answer({"type": "token.expiring", "at": rfc3339(at)})


async def _beat(hub: Hub) -> None:
    """Tell each socket how far its rooms have come, where they moved; to the others it is a sign of life."""
    while True:
        await asyncio.sleep(chat_settings.HEARTBEAT)
        moved, hub.moved = hub.moved, set()
        # Who was not said hello yet is told with it: hello comes first.
        for socket in [one for one in hub.sockets if one.greeted]:
            socket.standings = None
            try:
                socket.answer({"type": "heads", "rooms": _heads(hub, socket, moved)})
            except Exception as error:
                # Rather one reconnect, which resumes, than all who come after it without their heads.
                logger.warning("a socket was not told its heads: %s", type(error).__name__)
                socket.close(TOO_SLOW)


def _heads(hub: Hub, socket: Socket, moved: set[str]) -> dict[str, int | None]:
    return {
        room: hub.rooms[room].seq
        for room, seat in socket.seats.items()
        if room in moved and not seat.silent and seat.held is None
    }


async def _watch(hub: Hub) -> None:
    """End sockets whose sign-in no longer stands, whoever ended it and whether or not we were told."""
    noted: dict[str, float] = {}
    while True:
        await asyncio.sleep(chat_settings.RECHECK)
        _expire(hub)
        held = {socket.grounds for socket in hub.sockets if socket.grounds is not None}
        # Without the layer: this is what still holds while Redis is away.
        gone = await cross(end_fallen, held) if held else frozenset()
        for socket in tuple(hub.sockets):
            # Compared with what it rests on now, since a fresh token may have come meanwhile.
            if socket.grounds in gone:
                refuse(socket, Unauthenticated("This sign-in has ended."))
        await _note_seen(hub, noted)


async def _ask_again(hub: Hub) -> None:
    """End sockets that the class which let them in would not let in any more."""
    while True:
        await asyncio.sleep(chat_settings.RECHECK)
        asked = [
            (socket.credentials, socket.grounds)
            for socket in hub.sockets
            if socket.credentials is not None and socket.grounds is not None
        ]
        for start in range(0, len(asked), ASKED_AT_ONCE):
            refusals = await cross(still_in, asked[start : start + ASKED_AT_ONCE])
            for socket in tuple(hub.sockets) if refusals else ():
                if socket.credentials in refusals:
                    refuse(socket, refusals[socket.credentials])


async def _note_seen(hub: Hub, noted: dict[str, float]) -> None:
    """Note that the devices of open sockets are seen: once they come, and then each minute."""
    now = time.monotonic()
    held = {s.grounds.device for s in hub.sockets if s.grounds and s.grounds.device}
    due = {device for device in held if now - noted.get(device, float("-inf")) > SEEN_EVERY}
    if due:
        await cross(touch_devices, due)
    for device in set(noted) - held:
        del noted[device]
    noted.update(dict.fromkeys(due, now))
