"""How many sockets a person and an address have open: counted here, and in Redis for all processes together.

In Redis each of them has a hash of process → how many, always written as a whole number and never as a difference, so
that whatever was lost is mended by saying it again. A process says every few seconds that it lives; the counts of one
that says so no longer are not counted, so a process that was killed leaves nothing behind. With any other store, and
while Redis is away, each process counts its own.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat.conf import chat_settings
from chat.errors import RateLimited
from chat.limits import AVAILABLE

if AVAILABLE or TYPE_CHECKING:
    from chat.limits import store

# Signs of life that may be missed. A process that was only slow says its counts again.
MISSED = 3
# Seconds after which everything is said again, and for which it is kept unsaid.
AGAIN = 600
KEPT = 3 * AGAIN

# KEYS: whose places. ARGV: this process, its count with the new one, the limit, seconds, where signs of life are.
TAKE = """
local total = tonumber(ARGV[2])
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if name ~= ARGV[1] then
    if redis.call('EXISTS', ARGV[5] .. name) == 1 then
      total = total + tonumber(redis.call('HGET', KEYS[1], name))
    else
      redis.call('HDEL', KEYS[1], name)
    end
  end
end
if total > tonumber(ARGV[3]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


class Places:
    """The open sockets of this process, by whom they are counted for. Safe to use from many threads."""

    def __init__(self) -> None:
        self._name = uuid4().hex
        self._held: Counter[str] = Counter()
        self._unsaid: set[str] = set()
        self._said_all = float("-inf")
        # The one for arithmetic; the other is held while Redis is asked, so that counts arrive in their order.
        self._turn = Lock()
        self._asking = Lock()

    def take(self, key: str, limit: int) -> None:
        """Take a place; may ask Redis. Raises RateLimited."""
        with self._turn:
            if self._held[key] >= limit:
                raise RateLimited("Too many open sockets.", retry_after=_ttl())
            self._held[key] += 1
        if not self._granted(key, limit):
            self.leave(key)
            raise RateLimited("Too many open sockets.", retry_after=_ttl())

    def leave(self, key: str) -> None:
        """Give a place back, in no time; :meth:`say` tells the others."""
        with self._turn:
            self._held[key] -= 1
            if self._held[key] <= 0:
                del self._held[key]
            if shared():
                self._unsaid.add(key)

    def say(self) -> bool:
        """Give a sign of life and tell the others what changed; say whether they heard it."""
        try:
            with self._asking, store.asking():
                self._say(store.client())
        except store.Away:
            return False
        return True

    @property
    def unsaid(self) -> bool:
        """Whether places were given back that the others do not know of."""
        return bool(self._unsaid)

    def _granted(self, key: str, limit: int) -> bool:
        if not shared():
            return True
        try:
            with self._asking, store.asking():
                redis = store.client()
                if self._said_all == float("-inf"):
                    self._say(redis)
                with self._turn:
                    ours = self._held[key]
                said = [self._process, ours, limit, KEPT, _at("process:")]
                return bool(redis.eval(TAKE, 1, _at(key), *said))  # type: ignore[union-attr]
        except store.Away:
            return True

    def _say(self, redis: Any) -> None:
        lived = redis.set(_at(f"process:{self._process}"), 1, ex=_ttl(), get=True)
        now = time.monotonic()
        with self._turn:
            everything = lived is None or now - self._said_all > AGAIN
            keys, self._unsaid = self._unsaid | (set(self._held) if everything else set()), set()
            counts = {key: self._held.get(key, 0) for key in keys}
        try:
            self._write(redis, counts.items())
        except BaseException:
            with self._turn:
                self._unsaid |= keys
            raise
        self._said_all = now if everything else self._said_all

    def _write(self, redis: Any, counts: Iterable[tuple[str, int]]) -> None:
        with redis.pipeline(transaction=False) as pipeline:
            for key, count in counts:
                if count:
                    pipeline.hset(_at(key), self._process, count)
                    pipeline.expire(_at(key), KEPT)
                else:
                    pipeline.hdel(_at(key), self._process)
            pipeline.execute()

    @property
    def _process(self) -> str:
        # Servers that fork after the import have the rest of the name in common.
        return f"{self._name}-{os.getpid()}"


def shared() -> bool:
    """Say whether other processes are to know."""
    return AVAILABLE and store.client() is not None


def _ttl() -> int:
    """Return for how many seconds a sign of life holds: then what a dead process held is free."""
    return max(2, ceil(MISSED * float(chat_settings.RECHECK)))


def _at(key: str) -> str:
    return f"{chat_settings.LIMITS_PREFIX}:places:{key}"


places = Places()
