"""Questions of many sockets that one query answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

# Keys that one query is asked for: a thread is not kept for long, nor the others from running beside it.
MOST = 50


class Together(Generic[Key, Found]):
    """A question with a key; those that wait while one is being read are then read together.

    A lone one waits for nothing. No answer was read before its question was asked.
    """

    def __init__(self, read: Callable[[Collection[Key]], Awaitable[Mapping[Key, Found]]]) -> None:
        self._read = read
        self._waiting: dict[Key, asyncio.Future[Found]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def ask(self, key: Key) -> Found:
        """Return what is found for the key. Raises what the reading raises."""
        answer = self._waiting.get(key)
        if answer is None:
            answer = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all())
        # Whoever goes meanwhile takes nobody else's answer with them.
        return await asyncio.shield(answer)

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                some = {key: self._waiting.pop(key) for key in list(self._waiting)[:MOST]}
                try:
                    found = await self._read(some.keys())
                except Exception as error:
                    for answer in some.values():
                        answer.set_exception(error)
                        # Where nobody is left to be told, it is no defect.
                        answer.exception()
                else:
                    for key, answer in some.items():
                        answer.set_result(found[key])
        finally:
            self._reading = None
