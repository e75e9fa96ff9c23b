"""A quota that all processes share, cheap for everybody who stays far below it.

Most people stay far below their limit, so each process grants a small local allowance per window
without asking the shared store (:data:`FREE`). Beyond it, the process buys from the store: first
what it granted already, and then one block at a time in advance. So the store grants the limit and
no more, and beyond it goes at most :data:`FREE` for each process. A burst in one process alone is
held exactly. While the store is away each process keeps to the whole limit by itself.
"""

from __future__ import annotations

import time
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING

from chat.errors import RateLimited
from chat.limits import AVAILABLE

if AVAILABLE or TYPE_CHECKING:
    from chat.limits import store

# Part of the limit that a process grants unasked, and that it buys at once: with three processes 6 % beyond.
FREE = 0.03


class Purse:
    """The rest of a limit that one key has in this process, in the window that its first use began."""

    def __init__(self, rate: store.RateLimitItem, now: float) -> None:
        self.rate = rate
        self.ends = now + rate.get_expiry()
        self.block = int(rate.amount * FREE)
        self.left = self.block
        self.spent = 0
        self.owed = 0
        self.shut_until = 0.0
        # Held during the call to the store: requests that arrive meanwhile share the reserved block.
        self.buying = Lock()

    def spend(self) -> bool:
        """Count one use if there is one left. Raises RateLimited while the limit is known to be reached."""
        over = self.shut_until - time.monotonic()
        if over > 0:
            raise RateLimited(retry_after=ceil(over))
        if not self.left:
            return False
        self.left -= 1
        if self.spent < self.block:
            self.owed += 1
        self.spent += 1
        return True

    def bought(self, key: tuple[str, ...]) -> int:
        """Pay what is owed and a block, or the one use that is left; return how many uses that is.

        Raises Away.
        """
        with store.asking():
            limiter = store.exact()
            for block in dict.fromkeys((max(1, self.block), 1)):
                if limiter.hit(self.rate, *key, cost=self.owed + block):
                    self.owed = 0
                    return block
            self.shut_until = time.monotonic() + store.wait(limiter, self.rate, *key)
        return 0

    def lent(self) -> int:
        """Return one use, to be paid when the store is back, or none where the limit is reached here alone."""
        if self.spent >= self.rate.amount:
            self.shut_until = self.ends
            return 0
        self.owed += 1
        return 1


class Quota:
    """How often each key may do something: ``setting`` has the rate, ``name`` is its part of the store."""

    def __init__(self, setting: str, name: str) -> None:
        self._setting = setting
        self._name = name
        self._purses: dict[str, Purse] = {}
        self._sweep_at = 0.0
        # Held for arithmetic alone, never during a call to the store.
        self._turn = Lock()

    def count(self, key: str) -> None:
        """Count one use; may ask the store. Raises RateLimited."""
        if not self.spend(key):
            self.buy(key)

    def spend(self, key: str) -> bool:
        """Count one use if this process can decide alone, in no time; else say False. Raises RateLimited."""
        rate = store.rate(self._setting) if AVAILABLE else None
        if rate is None:
            return True
        with self._turn:
            return self._purse(key, rate).spend()

    def buy(self, key: str) -> None:
        """Count one use that :meth:`spend` could not, with the store's leave. Raises RateLimited."""
        rate = store.rate(self._setting)
        if rate is None:
            return
        with self._turn:
            purse = self._purse(key, rate)
        with purse.buying:
            with self._turn:
                if purse.spend():
                    return
            try:
                bought = purse.bought(store.at(self._name, key))
            except store.Away:
                bought = purse.lent()
            with self._turn:
                purse.left += bought
                purse.spend()

    def _purse(self, key: str, rate: store.RateLimitItem) -> Purse:
        """Return the purse of a key, a fresh one where the last window is over. Old ones are dropped."""
        now = time.monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + rate.get_expiry()
            self._purses = {one: purse for one, purse in self._purses.items() if purse.ends > now}
        purse = self._purses.get(key)
        if purse is None or purse.ends <= now or purse.rate != rate:
            purse = self._purses[key] = Purse(rate, now)
        return purse
