"""How the connections of a process share its event loop while they send more than one piece."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from weakref import WeakKeyDictionary

from uvicorn.server import ServerState

# Seconds in which pieces are parsed, and that all else has after them: a flood takes a quarter of the loop's time. What
# is read first of a connection waits for neither.
SLICE = 0.002
REST = 0.006


class Turns:
    """A queue of connections that have more to parse: however many they are, all else has most of the time.

    That includes threads, which would have to wait for the interpreter's lock as long as the loop is busy. Addresses
    take turns, because one client may open many connections and would else delay every large body of the others.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # By address. The first address is next.
        self._waiting: dict[str, deque[Callable[[], None]]] = {}
        self._running = False

    def add(self, address: str, parse: Callable[[], None]) -> None:
        """Call a function that parses one piece, in a later turn of the loop."""
        self._waiting.setdefault(address, deque()).append(parse)
        if not self._running:
            self._running = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        until = perf_counter() + SLICE
        rests = False
        try:
            # A connection that is added again meanwhile waits for the next run, unless its address has no other.
            for _ in range(sum(map(len, self._waiting.values()))):
                self._next()()
                if perf_counter() >= until:
                    rests = True
                    return
        finally:
            # Also after a failure, which is one connection's: the others would wait for ever.
            self._running = rests or bool(self._waiting)
            if rests:
                self._loop.call_later(REST, self._run)
            elif self._running:
                self._loop.call_soon(self._run)

    def _next(self) -> Callable[[], None]:
        """Remove and return the function that waits longest of the next address, which then is the last one."""
        address = next(iter(self._waiting))
        waiting = self._waiting.pop(address)
        parse = waiting.popleft()
        if waiting:
            self._waiting[address] = waiting
        return parse


_turns: WeakKeyDictionary[ServerState, Turns] = WeakKeyDictionary()


def turns_of(server_state: ServerState, loop: asyncio.AbstractEventLoop) -> Turns:
    """Return the queue of a server, which runs in one loop."""
    if server_state not in _turns:
        _turns[server_state] = Turns(loop)
    return _turns[server_state]
