"""Write security events to the logger ``chat.security``, one structured line each.

A line holds an event name and ids, digests, network addresses and route patterns. It never holds a password, a
token, a ticket, a name that somebody typed, or message text. docs/security.md lists the events.
"""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from threading import Lock
from typing import Any

from chat.errors import ChatError, Forbidden, RateLimited, TokenExpired, Unauthenticated

logger = logging.getLogger("chat.security")

# Event name: level. Every event that the app logs is listed here.
EVENTS: dict[str, int] = {
    "account.registered": logging.INFO,
    "sign_in.succeeded": logging.INFO,
    "sign_in.failed": logging.WARNING,
    "token.refused": logging.WARNING,
    "refresh.reused": logging.WARNING,
    "access.refused": logging.WARNING,
    "rate.limited": logging.WARNING,
    "device.ended": logging.INFO,
    "member.role_changed": logging.INFO,
    "member.removed": logging.INFO,
    "member.muted": logging.INFO,
    "member.banned": logging.INFO,
    "member.unbanned": logging.INFO,
    "room.deleted": logging.INFO,
    "person.suspended": logging.INFO,
    "person.suspension_lifted": logging.INFO,
}

# A client that repeats a refused request gets one line in this many seconds, with the number of repeats.
REPEAT_SECONDS = 60
REPEAT_KEYS = 10_000

_UNSAFE = re.compile(r"[^\w.:/<>{}@+-]", re.ASCII)


class RepeatFilter:
    """Let the same key pass once in ``REPEAT_SECONDS`` and count what it held back. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: OrderedDict[tuple[Any, ...], tuple[float, int]] = OrderedDict()

    def repeats(self, key: tuple[Any, ...]) -> int | None:
        """Return how many equal events were held back before this one, or None to hold this one back too."""
        now = time.monotonic()
        with self._lock:
            until, held = self._seen.get(key, (0.0, 0))
            if now < until:
                self._seen[key] = (until, held + 1)
                return None
            self._seen[key] = (now + REPEAT_SECONDS, 0)
            self._seen.move_to_end(key)
            if len(self._seen) > REPEAT_KEYS:
                self._seen.popitem(last=False)
            return held

    def clear(self) -> None:
        """Forget every key."""
        with self._lock:
            self._seen.clear()


refusals = RepeatFilter()


def log_security_event(event: str, **fields: Any) -> None:
    """Log one event of :data:`EVENTS` with its fields; a field that is None is left out."""
    shown = {name: _safe(value) for name, value in fields.items() if value is not None}
    text = " ".join(f"{name}={value}" for name, value in shown.items())
    logger.log(EVENTS[event], "%s %s", event, text, extra={"security": {"event": event, **shown}})


def log_refusal(error: ChatError, *, operation: str, **fields: Any) -> None:
    """Log that a request or command was refused, if its kind is one of security and it is not logged yet."""
    event = _event_of(error)
    if event is None or error.logged:
        return
    error.logged = True
    repeats = refusals.repeats((event, operation, *fields.values()))
    if repeats is not None:
        log_security_event(event, operation=operation, **fields, repeats=repeats or None)


def _event_of(error: ChatError) -> str | None:
    if isinstance(error, Forbidden):
        return "access.refused"
    if isinstance(error, RateLimited):
        return "rate.limited"
    # A token that has expired is part of every normal session.
    if isinstance(error, Unauthenticated) and not isinstance(error, TokenExpired):
        return "token.refused"
    return None


def _safe(value: Any) -> str:
    """Return a value without characters that could forge a second line or field."""
    return _UNSAFE.sub("_", str(value))[:200]
