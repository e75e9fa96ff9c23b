"""Many who ask the same kind of thing at once are answered by one query, and each with their own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection

import pytest

from chat.errors import Unavailable
from chat.websocket import together
from chat.websocket.bridge import cross
from chat.websocket.together import Together


class Book:
    """Answers with how often it was opened; stays open until it is let go of."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.free = threading.Event()
        self.free.set()
        self.opened = threading.Event()

    async def lent(self, keys: Collection[str]) -> dict[str, int]:
        return await cross(self.read, keys)

    def read(self, keys: Collection[str]) -> dict[str, int]:
        self.asked.append(sorted(keys))
        self.opened.set()
        assert self.free.wait(10)
        if "torn" in keys:
            raise Unavailable()
        return dict.fromkeys(keys, len(self.asked))


def test_who_waits_is_read_with_all_others_who_do() -> None:
    async def scene() -> None:
        book = Book()
        asking = Together(book.lent)
        book.free.clear()
        first = asyncio.create_task(asking.ask("a"))
        await asyncio.to_thread(book.opened.wait, 10)
        # Also the one who asks for the same again: what is being read may be older than the question.
        rest = [asyncio.create_task(asking.ask(key)) for key in "abcb"]
        await asyncio.sleep(0)
        book.free.set()
        assert await first == 1
        assert await asyncio.gather(*rest) == [2, 2, 2, 2]
        assert book.asked == [["a"], ["a", "b", "c"]]
        assert await asking.ask("a") == 3

    asyncio.run(scene())


def test_one_query_is_not_asked_for_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MOST", 2)

    async def scene() -> None:
        book = Book()
        asking = Together(book.lent)
        await asyncio.gather(*(asking.ask(key) for key in "abc"))
        assert book.asked == [["a", "b"], ["c"]]

    asyncio.run(scene())


def test_a_reading_that_fails_fails_for_those_who_wait_for_it_alone() -> None:
    async def scene() -> None:
        book = Book()
        asking = Together(book.lent)
        with pytest.raises(Unavailable):
            await asking.ask("torn")
        assert await asking.ask("whole") == 2

    asyncio.run(scene())


def test_who_goes_takes_no_answer_with_them() -> None:
    async def scene() -> None:
        book = Book()
        asking = Together(book.lent)
        book.free.clear()
        gone, stays = (asyncio.create_task(asking.ask("a")) for _ in range(2))
        await asyncio.to_thread(book.opened.wait, 10)
        gone.cancel()
        book.free.set()
        assert await stays == 1

    asyncio.run(scene())
