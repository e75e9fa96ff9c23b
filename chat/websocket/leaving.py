"""The server leaves: every open socket is told when to come back, answered what it asked, and closed (1012)."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from chat.websocket.state import LEAVE

if TYPE_CHECKING:
    from chat.websocket.hub import Hub
    from chat.websocket.socket import Socket

# Seconds in which commands under way are answered: no longer than the database takes over one.
LEAVE_WITHIN = 5
# Seconds before anyone is to come back, and how many of this process's sockets then may in a second.
PAUSE = 1.0
RECONNECTS = 500
SPREAD_LEAST = 4.0


def stay(scope: MutableMapping[str, Any], hub: Hub, socket: Socket) -> None:
    """Have the server end this socket by :func:`farewell`."""
    scope.setdefault("state", {})[LEAVE] = lambda: socket.leave(reconnect_in(len(hub.sockets)))


def farewell(scope: MutableMapping[str, Any]) -> Callable[[], None] | None:
    """Return what ends a connection's socket well, or None where it is none of ours, or not yet greeted."""
    found: Callable[[], None] | None = scope.get("state", {}).get(LEAVE)
    return found


def reconnect_in(sockets: int) -> float:
    """Return after how many seconds one of so many sockets is to come back: at random, lest all do at once."""
    spread = max(SPREAD_LEAST, sockets / RECONNECTS)
    return round(PAUSE + SystemRandom().uniform(0, spread), 1)
