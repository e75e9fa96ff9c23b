"""A socket that is open already: each command is decided by what its person may do at that moment."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.websocket.wire import Caller, Frame, Wire, greeted, socket


def code(answer: Frame) -> str:
    return str(answer["error"]["code"]) if answer["type"] == "failed" else "done"


async def tries(wire: Wire, room: str, own: str, others: str) -> dict[str, str]:
    """Let someone say each command about a room and two messages in it."""
    said = {
        "send": await wire.ask("message.send", room=room, text="Still here."),
        "edit": await wire.ask("message.edit", message=own, text="Otherwise."),
        "delete": await wire.ask("message.delete", message=others),
        "pin": await wire.ask("message.pin", message=own),
        "read": await wire.ask("room.read", room=room, seq=1),
    }
    return {name: code(answer) for name, answer in said.items()}


@pytest.mark.parametrize(
    ("visibility", "refusal"), [("private", "not_found"), ("public", "forbidden")]
)
def test_who_was_put_out_does_nothing_more(
    ann: Caller, bob: Caller, visibility: str, refusal: str
) -> None:
    room = ann.group(visibility, bob)
    own, others = bob.says(room, "Mine.")["id"], ann.says(room, "Hers.")["id"]

    async def scene() -> None:
        async with greeted(bob.address, bob.token) as wire:
            await wire.ask("message.send", room=room, text="One.")
            await asyncio.to_thread(ann.call, "DELETE", f"groups/{room}/members/{bob.id}/")
            head = (await asyncio.to_thread(ann.call, "GET", f"rooms/{room}/"))["head"]
            assert set((await tries(wire, room, own, others)).values()) == {refusal}
            assert (await asyncio.to_thread(ann.call, "GET", f"rooms/{room}/"))["head"] == head

    asyncio.run(scene())


def test_a_role_that_was_taken_is_of_no_use_and_a_given_one_is(ann: Caller, bob: Caller) -> None:
    room = ann.group("private", bob)
    own, others = bob.says(room, "Mine.")["id"], ann.says(room, "Hers.")["id"]
    path = f"groups/{room}/members/{bob.id}/"

    async def scene() -> None:
        async with greeted(bob.address, bob.token) as wire:
            for role, expected in (
                ("member", "forbidden"),
                ("moderator", "done"),
                ("member", "forbidden"),
            ):
                await asyncio.to_thread(ann.call, "PATCH", path, {"role": role})
                assert code(await wire.ask("message.pin", message=own)) == expected
                assert code(await wire.ask("message.delete", message=others)) == expected
            frozen = {"frozen": True}
            await asyncio.to_thread(ann.call, "PATCH", f"rooms/{room}/", frozen)
            assert code(await wire.ask("message.send", room=room, text="x")) == "forbidden"
            assert code(await wire.ask("message.edit", message=own, text="x")) == "forbidden"

    asyncio.run(scene())


def test_a_foreign_room_is_not_heard_by_asking_for_it(ann: Caller, bob: Caller) -> None:
    room = ann.group("private")

    async def scene() -> None:
        async with greeted(bob.address, bob.token) as wire:
            hello = wire.of("hello")[0]
            assert room not in hello["heads"]
            cursors = {room: 0, str(uuid4()): 0}
            await wire.ask("resume", epoch=hello["epoch"], cursors=cursors)
            await wire.ask("room.read", room=room, seq=1)
            await wire.ask("message.send", room=room, text="Let me in.")
            await asyncio.to_thread(ann.says, room, "Nobody hears.")
            # What is said in a room of both comes after it.
            pair = await asyncio.to_thread(ann.call, "POST", "direct/", {"user": bob.id})
            await asyncio.to_thread(ann.says, pair["id"], "Bob hears.")
            await wire.hear(lambda frame: frame.get("room") == pair["id"] and "message" in frame)
            assert "Nobody hears." not in str(wire.heard)
            assert not [
                frame for frame in wire.heard if frame.get("room") == room and "seq" in frame
            ]

    asyncio.run(scene())


ODD_PATHS = [
    "/ws/rooms/r.1!x/",
    "/ws/rooms/chat.room.1/",
    "/ws/rooms/" + "a" * 200 + "/",
    "/ws/rooms/%F0%9F%98%80/",
    "/ws/rooms/%00/",
    "/ws/rooms/%0d%0aX:%20y/",
    "/ws/rooms/../rooms/",
    "/ws/rooms/{room}%00/",
    "/ws/rooms/{room}/../",
    "/ws/rooms/{room}/messages/",
    "/ws//rooms/{room}/",
    "/ws/direct/{room}/",
    "/" + "x" * 4_000,
]


@pytest.mark.parametrize("path", ODD_PATHS, ids=range(len(ODD_PATHS)))
def test_a_path_that_is_none_is_said_to_be_none(ann: Caller, bob: Caller, path: str) -> None:
    room = ann.group("private")

    async def scene() -> None:
        async with socket(bob.address, bob.token, path.replace("{room}", room)) as wire:
            assert await wire.closed() == 4404
            assert [frame["error"]["code"] for frame in wire.heard] == ["not_found"]

    asyncio.run(scene())
