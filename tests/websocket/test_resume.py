"""A cursor is brought up to the head, exactly, or told that it is of no use."""

from __future__ import annotations

import asyncio

from tests.live.processes import SetUp, manage
from tests.websocket.wire import Caller, Frame, Wire, greeted

MANY = """
from uuid import UUID
from chat.actions.sending import Draft, send_messages
from chat.queries.people import person_by_handle
ann = person_by_handle({name!r})
send_messages([Draft(ann, UUID({room!r}), str(n)) for n in range({count})])
"""


async def resumed(wire: Wire, epoch: str, cursors: dict[str, int]) -> list[Frame]:
    """Resume and return all that came before ``done``, but for the signs of life."""
    before = len(wire.heard)
    done = await wire.ask("resume", epoch=epoch, cursors=cursors)
    assert done["type"] == "done", done
    return [frame for frame in wire.heard[before:-1] if frame["type"] != "heads"]


def test_missing_events_come_in_order_and_then_resumed(ann: Caller, bob: Caller) -> None:
    room = ann.group("private", bob)
    for text in ("one", "two", "three"):
        ann.says(room, text)

    async def scene() -> None:
        async with greeted(bob.address, bob.token) as wire:
            hello = wire.heard[0]
            frames = await resumed(wire, hello["epoch"], {**hello["heads"], room: 2})
            of_room = [frame for frame in frames if frame["room"] == room]
            assert [frame.get("seq") for frame in of_room] == [3, 4, 5, 6, None]
            assert of_room[-1] == {"type": "resumed", "room": room, "head": 6, "read_seq": 3}
            others = [frame for frame in frames if frame["room"] != room]
            assert {frame["type"] for frame in others} == {"resumed"}

    asyncio.run(scene())


def test_cursor_that_is_of_no_use_is_reset(ann: Caller) -> None:
    room = ann.group()

    async def scene() -> None:
        async with greeted(ann.address, ann.token) as wire:
            hello = wire.heard[0]
            for epoch, seq, reason in (("another", 1, "epoch"), (hello["epoch"], 99, "ahead")):
                frames = await resumed(wire, epoch, {**hello["heads"], room: seq})
                reset = next(frame for frame in frames if frame["room"] == room)
                assert reset == {"type": "reset", "room": room, "reason": reason, "head": 2}
            await wire.ask("message.send", room=room, text="and on it goes")
            assert wire.of("message.sent")[0]["seq"] == 3

    asyncio.run(scene())


def test_more_than_a_thousand_missing_events_are_reset(ann: Caller, setup: SetUp) -> None:
    room = ann.group()
    manage(setup.environment, "shell", "-c", MANY.format(name=ann.name, room=room, count=1_001))

    async def scene() -> None:
        async with greeted(ann.address, ann.token) as wire:
            hello = wire.heard[0]
            frames = await resumed(wire, hello["epoch"], {**hello["heads"], room: 2})
            assert [f["reason"] for f in frames if f["type"] == "reset"] == ["too_far"]
            frames = await resumed(wire, hello["epoch"], {**hello["heads"], room: 3})
            seqs = [f["seq"] for f in frames if f["type"] == "message.sent"]
            assert seqs == list(range(4, 1_004))

    asyncio.run(scene())


def test_rooms_joined_and_left_meanwhile_are_told(ann: Caller, bob: Caller) -> None:
    old, new = ann.group("private", bob), ann.group("private", bob)
    ann.call("DELETE", f"groups/{old}/members/{bob.id}/")

    async def scene() -> None:
        async with greeted(bob.address, bob.token) as wire:
            hello = wire.heard[0]
            own = next(room for room in hello["heads"] if room not in (old, new))
            frames = await resumed(wire, hello["epoch"], {own: hello["heads"][own], old: 3})
            assert [f["left"] for f in frames if f["type"] == "room.left"] == [old]
            assert [f["joined"] for f in frames if f["type"] == "room.joined"] == [new]
            await asyncio.to_thread(ann.says, new, "here")
            assert (await wire.hear("message.sent"))["room"] == new

    asyncio.run(scene())


def test_events_nobody_published_are_found_in_the_log(ann: Caller, setup: SetUp) -> None:
    """A process that dies between commit and publish, or a Redis that loses a message, looks like this."""
    room = ann.group()
    deaf = {**setup.environment, "REDIS_URL": ""}

    async def scene() -> None:
        async with greeted(ann.address, ann.token) as wire:
            said = MANY.format(name=ann.name, room=room, count=3)
            await asyncio.to_thread(manage, deaf, "shell", "-c", said)
            for text in ("0", "1", "2"):
                assert (await wire.hear("message.sent"))["message"]["text"] == text

    asyncio.run(scene())
