"""Where counts are kept. The only file that knows the package ``limits``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from math import ceil
from threading import Lock
from typing import Any

from chat.conf import chat_settings
from chat.extras import named

with named():
    from limits import RateLimitItem, RateLimitItemPerDay, parse
    from limits.errors import ConfigurationError, StorageError
    from limits.storage import (
        MemoryStorage,
        RedisClusterStorage,
        RedisStorage,
        Storage,
        storage_from_string,
    )
    from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

__all__ = ["ConfigurationError", "RateLimitItem", "RateLimitItemPerDay", "StorageError"]

Limiter = FixedWindowRateLimiter | MovingWindowRateLimiter

# A store that hangs must not hold a request for longer than people wait.
TIMEOUT = 3
# Seconds that a store which failed is not asked again by those who can do without.
PAUSE = 5

_making = Lock()
# Until when each store is left alone.
_away_until: dict[str, float] = {}


class Away(Exception):
    """The store does not answer, or did not a moment ago."""


class Memory(MemoryStorage):
    """The memory of this process; the library's own drops counts of threads that meet while a key is new."""

    def __init__(self, uri: str) -> None:
        self._turn = Lock()
        super().__init__(uri)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        with self._turn:
            return super().incr(key, expiry, amount)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with self._turn:
            return super().acquire_entry(key, limit, expiry, amount)


def rate(setting: str) -> RateLimitItem | None:
    """Return how often a setting allows, or None where it sets no limit. Raises ValueError for what is no rate."""
    text: str | None = getattr(chat_settings, setting)
    return parsed(text) if text else None


@cache
def parsed(text: str) -> RateLimitItem:
    """Return ``"10/5 minutes"`` as the library has it. Raises ValueError."""
    return parse(text)


def limiter() -> FixedWindowRateLimiter:
    """Return what counts in windows that begin with the first of their counts."""
    return FixedWindowRateLimiter(storage())


def exact() -> Limiter:
    """Return what looks back from each moment, where the store can do that."""
    try:
        return MovingWindowRateLimiter(storage())
    except NotImplementedError:
        return limiter()


def wait(by: Limiter, limit: RateLimitItem, *key: str) -> int:
    """Return the seconds until there is room again, at least one."""
    return max(1, ceil(by.get_window_stats(limit, *key).reset_time - time.time()))


def at(*key: str) -> tuple[str, ...]:
    """Return a key under the prefix of this service."""
    return (chat_settings.LIMITS_PREFIX, *key)


def storage() -> Storage:
    """Return this process's way to ``CHAT["LIMITS_STORAGE"]``."""
    # Threads that meet here at first would else each count in a memory of their own.
    with _making:
        return storage_at(chat_settings.LIMITS_STORAGE)


@cache
def storage_at(uri: str) -> Storage:
    """Return this process's way to a store, made once. Raises the library's ConfigurationError."""
    if uri.startswith("memory"):
        return Memory(uri)
    redis = uri.startswith(("redis", "valkey"))
    timeouts = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT} if redis else {}
    return storage_from_string(uri, wrap_exceptions=True, **timeouts)  # type: ignore[return-value]


def client() -> Any | None:
    """Return the client of a single Redis, which can do more than count; None for any other store."""
    found = storage()
    if not isinstance(found, RedisStorage) or isinstance(found, RedisClusterStorage):
        return None
    return found.get_connection()


@contextmanager
def asking() -> Iterator[None]:
    """Ask the store for what one can do without. Raises Away, at once for a while after a failure.

    Refusals are for after the block: only one that ends well says that the store is there.
    """
    uri, now = chat_settings.LIMITS_STORAGE, time.monotonic()
    if uri in _away_until:
        if now < _away_until[uri]:
            raise Away
        # One asks whether it is back, and no others wait with it.
        _away_until[uri] = now + PAUSE
    try:
        yield
    except _failures() as error:
        _away_until[uri] = time.monotonic() + PAUSE
        raise Away from error
    else:
        _away_until.pop(uri, None)


def _failures() -> tuple[type[Exception], ...]:
    found = storage()
    # What the memory store would call a failure is a mistake of ours.
    if isinstance(found, MemoryStorage):
        return (StorageError,)
    errors = found.base_exceptions
    return (StorageError, *(errors if isinstance(errors, tuple) else (errors,)))
