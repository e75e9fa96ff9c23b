"""A person with more rooms than one socket hears: the most recently active are heard, and the rest are counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.processes import Server, SetUp, server, wait_until_ready
from tests.websocket.wire import Caller, greeted, socket

MOST = 3
GROUPS = 5


@pytest.fixture(scope="module")
def narrow(setup: SetUp, tmp_path_factory: Any) -> Iterator[Server]:
    """A server whose sockets hear three rooms."""
    environment = {**setup.environment, "CHAT_LIMIT_SOCKET_ROOMS": str(MOST)}
    logs: Path = tmp_path_factory.mktemp("narrow")
    with server(environment, logs / "server.log") as one:
        wait_until_ready(one)
        yield one


@pytest.fixture
def groups(ann: Caller) -> list[str]:
    """Rooms of ann's, the most recently active last."""
    found = [ann.group() for _ in range(GROUPS)]
    for room in found:
        ann.says(room, "hello")
    return found


def heads(ann: Caller, *rooms: str) -> dict[str, int]:
    return {room: ann.call("GET", f"rooms/{room}/")["head"] for room in rooms}


def test_the_most_recently_active_rooms_are_heard(
    narrow: Server, ann: Caller, groups: list[str]
) -> None:
    async def scene() -> None:
        async with socket(narrow.address, ann.token) as wire:
            hello = await wire.hear("hello")
            assert hello["limits"]["rooms"] == MOST
            assert hello["left_out"] == GROUPS - MOST
            # Those, and one's own log.
            assert set(groups[-MOST:]) < set(hello["heads"])
            assert len(hello["heads"]) == MOST + 1
            await asyncio.to_thread(ann.says, groups[0], "left out")
            await asyncio.to_thread(ann.says, groups[-1], "heard")
            heard = await wire.hear("message.sent")
            assert heard["room"] == groups[-1]

    asyncio.run(scene())
    cursors = {room: head - 1 for room, head in heads(ann, groups[0]).items()}
    epoch = ann.call("GET", f"rooms/{groups[0]}/log/")["epoch"]
    synced = ann.call("POST", "sync/", {"epoch": epoch, "cursors": cursors})
    assert [event["type"] for event in synced["rooms"][groups[0]]["events"]] == ["message.sent"]


def test_nobody_is_left_out_below_the_limit(here: str, ann: Caller, groups: list[str]) -> None:
    async def scene() -> None:
        async with socket(here, ann.token) as wire:
            hello = await wire.hear("hello")
            assert hello["left_out"] == 0
            assert hello["limits"]["rooms"] == 10_000
            assert hello["server"]["name"] == "parley"
            assert hello["server"]["version"]

    asyncio.run(scene())


def test_resume_is_silent_about_rooms_that_are_left_out(
    narrow: Server, ann: Caller, groups: list[str]
) -> None:
    cursors = heads(ann, *groups)

    async def scene() -> None:
        async with socket(narrow.address, ann.token) as wire:
            epoch = (await wire.hear("hello"))["epoch"]
            # A ping, so that the resume does not rest on what was read at the handshake.
            for command in ("ping", "resume"):
                fields = {} if command == "ping" else {"epoch": epoch, "cursors": cursors}
                assert (await wire.ask(command, **fields))["type"] == "done"
            assert {one["room"] for one in wire.of("resumed")} == set(groups[-MOST:])
            assert wire.of("room.left") == []

    asyncio.run(scene())


def test_room_that_is_left_out_has_a_socket_of_its_own(
    narrow: Server, ann: Caller, groups: list[str]
) -> None:
    async def scene() -> None:
        path = f"/ws/rooms/{groups[0]}/"
        async with socket(narrow.address, ann.token, path) as wire:
            assert (await wire.hear("hello"))["left_out"] == 0
            await asyncio.to_thread(ann.says, groups[0], "hello")
            assert (await wire.hear("message.sent"))["room"] == groups[0]

    asyncio.run(scene())


def test_rooms_joined_later_are_heard_up_to_twice_the_limit(
    narrow: Server, ann: Caller, groups: list[str]
) -> None:
    """Then the socket is closed: a new one hears the most recently active."""

    async def scene() -> None:
        async with greeted(narrow.address, ann.token) as wire:
            for _ in range(MOST - 1):
                room = await asyncio.to_thread(ann.group)
                await wire.hear(lambda frame, room=room: frame.get("joined") == room)
                await asyncio.to_thread(ann.says, room, "hello")
                assert (await wire.hear("message.sent"))["room"] == room
            await asyncio.to_thread(ann.group)
            assert await wire.closed() == 1013

    asyncio.run(scene())
