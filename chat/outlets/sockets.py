"""Carries what is published to open sockets: of this process directly, of others through the channel layer."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import groupby
from threading import Lock, Thread
from time import monotonic
from types import SimpleNamespace
from typing import Any

from chat import metrics
from chat.conf import chat_settings
from chat.events import Published
from chat.extras import named
from chat.outages import Outages
from chat.queries.epoch import current_epoch

with named():
    from channels.layers import InMemoryChannelLayer, get_channel_layer

logger = logging.getLogger("chat.outlets.sockets")

# Seconds that the layer may take for one message; it only makes things fast, the log makes them true.
LAYER_TIMEOUT = 3
# Seconds for which a layer that failed is not asked again, so that no more than one request waits for it.
LAYER_REST = 5

# The logger of the task in which channels_redis receives.
RECEIVING = "channels_redis.pubsub"
AWAY: tuple[type[BaseException], ...] = (OSError,)
with suppress(ImportError):
    from redis import exceptions

    AWAY = (OSError, exceptions.ConnectionError, exceptions.TimeoutError)

Receiver = Callable[[list[Published]], None]
_receivers: list[Receiver] = []
_publishers: dict[int, asyncio.AbstractEventLoop] = {}
_starting = Lock()
_rest = SimpleNamespace(until=0.0)
_outages = Outages()


class WithoutOutages(logging.Filter):
    """Makes one line a minute of what channels_redis logs each second, with a traceback, while Redis is away."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, AWAY):
            return True
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "no events come from Redis: %s", (type(error).__name__,)
        record.exc_info = None
        return _outages.begins("receive", type(error).__name__)


_without_outages = WithoutOutages()


def attach(receiver: Receiver) -> None:
    """Have the hub of this process given what this process commits, from whichever thread commits it."""
    logging.getLogger(RECEIVING).addFilter(_without_outages)
    _receivers.append(receiver)


def detach(receiver: Receiver) -> None:
    """Stop giving events to a hub whose loop ends."""
    _receivers.remove(receiver)


def deliver(items: list[Published]) -> None:
    """Hand events to the hubs of this process, which also pass them on; without one, to the layer."""
    if _receivers:
        for receiver in tuple(_receivers):
            receiver(items)
    elif shared_layer() is not None:
        # After the commit: an event may be older than its label, and then is found in the log.
        sending = send_to_layer(items, origin="", epoch=current_epoch())
        asyncio.run_coroutine_threadsafe(sending, _publisher()).result()


def _publisher() -> asyncio.AbstractEventLoop:
    """Return a loop that runs in a thread of its own, where none runs a hub: so the layer's connection is kept."""
    # By process, because a thread does not survive a fork.
    process = os.getpid()
    with _starting:
        if process not in _publishers:
            _publishers[process] = asyncio.new_event_loop()
            running = _publishers[process].run_forever
            Thread(target=running, name="chat-publisher", daemon=True).start()
        return _publishers[process]


def shared_layer() -> Any | None:
    """Return the layer that other processes listen to, or None where there is none: memory is not shared."""
    layer = get_channel_layer(chat_settings.CHANNEL_LAYER)
    return None if isinstance(layer, InMemoryChannelLayer) else layer


def group_of(room: str) -> str:
    """Return the layer's group of a room."""
    return f"chat.room.{room}"


def resting() -> bool:
    """Return whether the layer has just failed, so that nobody else should wait for it."""
    return bool(monotonic() < _rest.until)


def let_rest(what: str, error: Exception) -> None:
    """Note that the layer failed at something: not the loss of an event, every process finds it in the log."""
    if _outages.begins(what, type(error).__name__):
        logger.warning("the channel layer failed to %s: %s", what, type(error).__name__)
    metrics.layer_failed(what)
    _rest.until = monotonic() + LAYER_REST


async def send_to_layer(items: Iterable[Published], *, origin: str, epoch: str) -> None:
    """Send events on, those of a room in one message, unless the layer has just failed."""
    layer = shared_layer()
    if layer is None or resting():
        return
    by_room = groupby(sorted(items, key=lambda item: item.room), key=lambda item: item.room)
    try:
        async with asyncio.timeout(LAYER_TIMEOUT):
            for room, of_room in by_room:
                await layer.group_send(group_of(room), _packed(room, of_room, origin, epoch))
    except Exception as error:
        let_rest("send", error)


def _packed(room: str, items: Iterable[Published], origin: str, epoch: str) -> dict[str, Any]:
    events = [[item.seq, item.type, item.text, item.since, item.narrower] for item in items]
    return {
        "type": "chat.events",
        "origin": origin,
        "epoch": epoch,
        "room": room,
        "events": events,
    }


def unpacked(message: dict[str, Any]) -> list[Published]:
    """Return the events of a layer message."""
    return [
        Published(message["room"], seq, type, text, since, narrower and tuple(narrower))
        for seq, type, text, since, narrower in message["events"]
    ]
