"""The server leaves: every open socket is told when to come back, answered what it asked, and closed (1012)."""

from __future__ import annotations

from collections.abc import MutableMapping
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from chat.server.state import LEAVE

if TYPE_CHECKING:
    from chat.websocket.hub import Hub
    from chat.websocket.socket import Socket

# Seconds before anyone is to come back, and how many of this process's sockets then may in a second.
PAUSE = 1.0
RECONNECTS = 500
SPREAD_LEAST = 4.0


def stay(scope: MutableMapping[str, Any], hub: Hub, socket: Socket) -> None:
    """Register the callback with which the server closes this connection when it stops."""
    scope.setdefault("state", {})[LEAVE] = lambda: socket.leave(reconnect_in(len(hub.sockets)))


def reconnect_in(sockets: int) -> float:
    """Return after how many seconds one of so many sockets is to come back: at random, lest all do at once."""
    spread = max(SPREAD_LEAST, sockets / RECONNECTS)
    return round(PAUSE + SystemRandom().uniform(0, spread), 1)
