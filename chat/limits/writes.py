"""How much a person may write: one quota over REST and sockets, in all processes.

Nearly all people stay far below it, so a process lets each write a little in every window without asking anyone
(:data:`FREE`). Beyond that it buys from the shared store: first what it let pass, and then block by block in advance.
So the store grants the limit and no more, and beyond it goes at most :data:`FREE` for each process. A burst in one
process alone is held exactly. While the store is away each process keeps to the whole limit by itself.
"""

from __future__ import annotations

import time
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from chat.errors import RateLimited
from chat.limits import AVAILABLE

if AVAILABLE or TYPE_CHECKING:
    from chat.limits import store

# Part of the limit that a process lets pass unasked, and that it buys at once: with three processes 6 % beyond.
FREE = 0.03


class Purse:
    """What one person may still write in this process, in the window that their first write began."""

    def __init__(self, rate: store.RateLimitItem, now: float) -> None:
        self.rate = rate
        self.ends = now + rate.get_expiry()
        self.block = int(rate.amount * FREE)
        self.left = self.block
        self.spent = 0
        self.owed = 0
        self.shut_until = 0.0
        # Held while the store is asked: who comes meanwhile shares what is bought.
        self.buying = Lock()


class Purses:
    """The purses of this process; those whose window is over are dropped once in a window."""

    def __init__(self) -> None:
        self._of: dict[UUID, Purse] = {}
        self._sweep_at = 0.0

    def of(self, person: UUID, rate: store.RateLimitItem) -> Purse:
        """Return a person's purse, a fresh one where the last window is over."""
        now = time.monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + rate.get_expiry()
            self._of = {one: purse for one, purse in self._of.items() if purse.ends > now}
        purse = self._of.get(person)
        if purse is None or purse.ends <= now or purse.rate != rate:
            purse = self._of[person] = Purse(rate, now)
        return purse


_purses = Purses()
# Held for arithmetic alone, never while the store is asked.
_turn = Lock()


def count_write(person: UUID) -> None:
    """Count one write of a person; may ask the store. Raises RateLimited."""
    if not spend(person):
        buy(person)


def spend(person: UUID) -> bool:
    """Count one write if this process can decide alone, in no time; else say False. Raises RateLimited."""
    rate = store.rate("LIMIT_WRITES") if AVAILABLE else None
    if rate is None:
        return True
    with _turn:
        return _spend(_purses.of(person, rate))


def buy(person: UUID) -> None:
    """Count one write that :func:`spend` could not, with the store's leave. Raises RateLimited."""
    rate = store.rate("LIMIT_WRITES")
    if rate is None:
        return
    with _turn:
        purse = _purses.of(person, rate)
    with purse.buying:
        with _turn:
            if _spend(purse):
                return
        try:
            bought = _bought(purse, store.at("writes", str(person)))
        except store.Away:
            bought = _lent(purse)
        with _turn:
            purse.left += bought
            _spend(purse)


def _spend(purse: Purse) -> bool:
    over = purse.shut_until - time.monotonic()
    if over > 0:
        raise RateLimited(retry_after=ceil(over))
    if not purse.left:
        return False
    purse.left -= 1
    if purse.spent < purse.block:
        purse.owed += 1
    purse.spent += 1
    return True


def _bought(purse: Purse, key: tuple[str, ...]) -> int:
    """Pay what is owed and a block, or the one write that is left; return how many writes that is. Raises Away."""
    with store.asking():
        limiter = store.exact()
        for block in dict.fromkeys((max(1, purse.block), 1)):
            if limiter.hit(purse.rate, *key, cost=purse.owed + block):
                purse.owed = 0
                return block
        purse.shut_until = time.monotonic() + store.wait(limiter, purse.rate, *key)
    return 0


def _lent(purse: Purse) -> int:
    """Return the next write, to be paid when the store is back, or none where the limit is reached here alone."""
    if purse.spent >= purse.rate.amount:
        purse.shut_until = purse.ends
        return 0
    purse.owed += 1
    return 1
