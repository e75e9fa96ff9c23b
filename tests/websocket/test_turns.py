"""A client that sends much at once is served in turns, between which the others have theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from chat.websocket.consumer import TURN, _converse
from chat.websocket.hub import Hub
from tests.websocket.ears import Ear, play, sit

FRAMES = 200


def test_what_comes_at_once_is_not_all_served_before_the_others() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = sit(hub, ear, {"r": 3})
        waiting = [{"type": "websocket.receive", "text": '{"type":"ping"}'}] * FRAMES
        # How many answers there were at each turn of somebody else.
        seen: list[int] = []

        async def receive() -> Mapping[str, Any]:
            return waiting.pop() if waiting else {"type": "websocket.disconnect"}

        async def others() -> None:
            while True:
                seen.append(len(ear.frames))
                await asyncio.sleep(0)

        turns = asyncio.create_task(others())
        await _converse(hub, socket, receive, {})
        turns.cancel()
        assert len(ear.frames) == FRAMES
        assert max(later - before for before, later in pairwise([*seen, FRAMES])) <= TURN

    play(scene)
