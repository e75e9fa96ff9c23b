"""What a socket hears, in which order, and that nothing said to it can break it."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.websocket.wire import Caller, greeted


def test_message_arrives_everywhere_and_is_acknowledged(ann: Caller, bob: Caller) -> None:
    room = ann.group("private", bob)

    async def scene() -> None:
        async with greeted(ann.address, ann.token) as a, greeted(bob.address, bob.token) as b:
            done = await a.ask("message.send", room=room, text="hello")
            event = await b.hear("message.sent")
            assert event["message"] == done["result"]["message"]
            assert event["actor"]["id"] == ann.id
            edited = await a.ask("message.edit", message=event["message"]["id"], text="hello!")
            assert (await b.hear("message.edited"))["message"] == edited["result"]["message"]
            pinned = await a.ask("message.pin", message=event["message"]["id"])
            assert (await b.hear("message.pinned"))["message"] == pinned["result"]["message"]
            assert pinned["result"]["message"]["pinned"]
            await a.ask("message.unpin", message=event["message"]["id"])
            assert not (await b.hear("message.unpinned"))["message"]["pinned"]
            gone = await a.ask("message.delete", message=event["message"]["id"])
            assert (await b.hear("message.deleted"))["message"]["text"] == ""
            assert gone["result"]["message"]["deleted_at"]
            await a.ask("room.read", room=room, seq=event["seq"])
            read = await b.hear("room.read")
            assert (read["user"]["id"], read["seq"]) == (ann.id, event["seq"])

    asyncio.run(scene())


def test_same_id_twice_is_one_message_also_across_processes(
    ann: Caller, here: str, there: str
) -> None:
    room, id = ann.group(), str(uuid4())

    async def scene() -> None:
        async with greeted(here, ann.token) as a, greeted(there, ann.token) as b:
            said = {"room": room, "id": id, "text": "once"}
            first, second = await asyncio.gather(
                a.ask("message.send", **said), b.ask("message.send", **said)
            )
            assert first["result"] == second["result"]
            other = await a.ask("message.send", **{**said, "text": "twice"})
            assert other["error"]["code"] == "conflict"

    asyncio.run(scene())
    assert ann.call("GET", f"rooms/{room}/")["head"] == 3


def test_room_joined_while_connected_is_heard_from_then_on(ann: Caller, bob: Caller) -> None:
    async def scene() -> None:
        async with greeted(bob.address, bob.token) as wire:
            room = await asyncio.to_thread(ann.group, "private", bob)
            joined = await wire.hear("room.joined")
            assert (joined["joined"], joined["snapshot"]["id"]) == (room, room)
            await asyncio.to_thread(ann.says, room, "welcome")
            sent = await wire.hear("message.sent")
            assert sent["seq"] == joined["snapshot"]["head"] + 1

    asyncio.run(scene())


def test_removed_member_hears_nothing_more(ann: Caller, bob: Caller) -> None:
    room = ann.group("private", bob)

    async def scene() -> None:
        path = f"/ws/rooms/{room}/"
        async with (
            greeted(bob.address, bob.token) as all,
            greeted(bob.address, bob.token, path) as one,
        ):
            await asyncio.to_thread(ann.call, "DELETE", f"groups/{room}/members/{bob.id}/")
            left = await all.hear("room.left")
            assert left["left"] == room
            assert await one.closed() == 4403
            await asyncio.to_thread(ann.says, room, "they are gone")
            await asyncio.to_thread(ann.call, "POST", "direct/", {"user": bob.id})
            await all.hear("room.joined")
            assert not all.of("message.sent")

    asyncio.run(scene())


def test_opening_a_direct_socket_makes_the_room(ann: Caller, bob: Caller) -> None:
    async def scene() -> None:
        async with (
            greeted(bob.address, bob.token) as b,
            greeted(ann.address, ann.token, f"/ws/direct/{bob.id}/") as a,
        ):
            sent = await a.ask("message.send", text="psst")
            joined = await b.hear("room.joined")
            assert joined["snapshot"]["peer"]["id"] == ann.id
            assert (await b.hear("message.sent"))["message"] == sent["result"]["message"]
            elsewhere = await a.ask("message.send", room=str(uuid4()), text="no")
            assert elsewhere["error"]["code"] == "forbidden"

    asyncio.run(scene())


def test_heads_are_told_without_being_asked(ann: Caller) -> None:
    room = ann.group()

    async def scene() -> None:
        async with greeted(ann.address, ann.token) as wire:
            sent = await wire.ask("message.send", room=room, text="tick")
            seq = sent["result"]["message"]["seq"]
            # The beat may fall between the event and the answer: what was heard by then counts as well.
            while not any(frame["rooms"].get(room) == seq for frame in wire.of("heads")):
                await wire.hear("heads")

    asyncio.run(scene())


BAD = [
    "",
    "null",
    "[]",
    "7",
    '"text"',
    "{",
    "{}",
    '{"type": null}',
    '{"type": 5}',
    '{"type": "websocket.disconnect"}',
    '{"type": "chat.events", "events": []}',
    '{"type": "_private"}',
    '{"type": "message.send"}',
    '{"type": "message.send", "room": "r.1!x", "text": "x"}',
    '{"type": "message.send", "room": {"a": 1}, "text": ["x"]}',
    '{"type": "message.send", "room": null, "text": "\\u0000"}',
    '{"type": "message.send", "text": "\\ud800"}',
    '{"type": "room.read", "seq": -1}',
    '{"type": "room.read", "seq": 1e400}',
    '{"type": "room.read", "seq": ' + "9" * 5000 + "}",
    '{"type": "room.read", "seq": true}',
    '{"type": "room.read", "seq": NaN}',
    '{"type": "resume", "epoch": 1, "cursors": []}',
    '{"type": "resume", "epoch": "e", "cursors": {"x": -1}}',
    '{"type": "resume", "epoch": "e", "cursors": {"x": {"y": 1}}}',
    '{"type": "ping", "ref": {"a": 1}}',
    '{"type": "ping", "ref": "' + "x" * 100 + '"}',
    '{"__proto__": {"type": "ping"}}',
    "[" * 60_000,
    '{"type": "message.send", "metadata": ' + '{"a":' * 5_000 + "1" + "}" * 5_001,
    b"\x00\xff",
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_bad_frame_is_answered_and_the_socket_lives(ann: Caller, bad: str | bytes) -> None:
    async def scene() -> None:
        async with greeted(ann.address, ann.token) as wire:
            await wire.send(bad)
            failed = await wire.hear("failed")
            assert failed["error"]["code"] in {"invalid", "unsupported"}
            assert (await wire.ask("ping"))["type"] == "done"

    asyncio.run(scene())


def test_frame_too_big_ends_the_socket(ann: Caller) -> None:
    async def scene() -> None:
        async with greeted(ann.address, ann.token) as wire:
            await wire.send('{"type": "ping", "x": "' + "x" * 70_000 + '"}')
            assert await wire.closed() == 1009
            assert wire.of("failed")[0]["error"]["code"] == "too_large"

    asyncio.run(scene())
