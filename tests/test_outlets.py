"""What is published outside a process that serves sockets reaches those that do."""

from __future__ import annotations

import asyncio
import threading
from uuid import uuid4

import pytest
from django.db import connections

from chat.events import Published
from chat.outlets import sockets

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]


def deliver(items: list[Published]) -> None:
    """Deliver from a thread that leaves no database connection behind."""
    try:
        sockets.deliver(items)
    finally:
        connections.close_all()


def test_threads_without_a_hub_share_one_loop_and_what_they_say_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A loop for each would be a connection to Redis for each."""
    monkeypatch.setattr(sockets, "_receivers", [])
    room = str(uuid4())

    async def scene() -> set[int]:
        layer = sockets.shared_layer()
        assert layer is not None
        channel = await layer.new_channel()
        await layer.group_add(sockets.group_of(room), channel)
        said = [[Published(room, seq, "typing", "{}", 0)] for seq in range(1, 9)]
        await asyncio.gather(*(asyncio.to_thread(deliver, items) for items in said))
        async with asyncio.timeout(10):
            heard = [sockets.unpacked(await layer.receive(channel)) for _ in said]
        return {item.seq for items in heard for item in items}

    assert asyncio.run(scene()) == set(range(1, 9))
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("chat-publisher") == 1
