"""Ten thousand frames that nobody should send: each is answered or ends its socket, and the service goes on."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack

import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from tests.documents import check_frame
from tests.live.processes import SetUp
from tests.websocket.noise import Noise
from tests.websocket.wire import WITHIN, Caller, Frame, Wire, greeted

FRAMES = 10_000
SOCKETS = 8
SEED = 20261120


async def make_noise(wire: Wire, noise: Noise, frames: int) -> list[Frame]:
    """Send frames without waiting, in pieces now and then, and return the answers, in ample time."""
    answers: list[Frame] = []

    async def listen() -> None:
        while len(answers) < frames:
            frame = orjson.loads(await wire.connection.recv())
            if frame["type"] in {"done", "failed"}:
                answers.append(frame)

    async with asyncio.timeout(4 * WITHIN):
        listening = asyncio.create_task(listen())
        for number in range(frames):
            frame = noise.frame()
            half = len(frame) // 2
            in_pieces = number % 50 == 0 and half
            await wire.connection.send([frame[:half], frame[half:]] if in_pieces else frame)
        await listening
    return answers


def test_every_frame_is_answered_and_the_service_goes_on(
    ann: Caller, bob: Caller, setup: SetUp, here: str, there: str
) -> None:
    room = ann.group("private", bob)
    ids = [room, ann.group(), *[ann.says(room, "There.")["id"] for _ in range(9)], ann.id]
    before = len(setup.logs())

    async def scene() -> list[Frame]:
        async with AsyncExitStack() as opened:
            wires = [
                await opened.enter_async_context(
                    greeted((here, there)[number % 2], (ann, bob)[number // 2 % 2].token)
                )
                for number in range(SOCKETS)
            ]
            noises = [
                make_noise(wire, Noise(SEED + number, ids), FRAMES // SOCKETS)
                for number, wire in enumerate(wires)
            ]
            answers = await asyncio.gather(*noises)
            for wire in wires:
                assert (await wire.ask("ping"))["type"] == "done"
        return [answer for each in answers for answer in each]

    answers = asyncio.run(scene())
    assert len(answers) == FRAMES
    codes = {answer["error"]["code"] for answer in answers if answer["type"] == "failed"}
    # What went wrong was always the frame, and the frames were of many kinds.
    assert codes <= {
        "invalid",
        "unsupported",
        "unauthenticated",
        "forbidden",
        "not_found",
        "conflict",
        "too_large",
    }
    assert codes > {"invalid", "unsupported", "unauthenticated", "not_found"}
    assert sum(answer["type"] == "done" for answer in answers) > FRAMES / 100
    for answer in {(one["type"], str(one.get("error"))): one for one in answers}.values():
        check_frame(answer)
    nothing_broke(setup, setup.logs()[before:])
    serves(ann, bob, room)


def nothing_broke(setup: SetUp, log: str) -> None:
    assert not re.findall(r'Traceback|"traceback"|"level": "ERROR"', log), log[-3_000:]
    assert all(server.process.poll() is None for server in setup.servers)


def serves(ann: Caller, bob: Caller, room: str) -> None:
    async def scene() -> None:
        async with greeted(bob.address, bob.token) as wire:
            said = await asyncio.to_thread(ann.says, room, "Still here.")
            heard = await wire.hear(lambda frame: frame.get("message", {}).get("id") == said["id"])
            assert heard["message"]["text"] == "Still here."

    asyncio.run(scene())


# What no frame of ours may be, as the bytes that come over the connection: how the socket ends.
ENDS: dict[str, tuple[bytes, int]] = {
    "text that is not UTF-8": (b"\x81\x82\x00\x00\x00\x00\xff\xfe", 1007),
    "a surrogate as UTF-8": (b"\x81\x83\x00\x00\x00\x00\xed\xa0\x80", 1007),
    "an opcode that there is not": (b"\x83\x80\x00\x00\x00\x00", 1002),
    "a frame that is not masked": (b"\x81\x02{}", 1002),
    "a reserved bit, as of a compressed frame": (b"\xc1\x80\x00\x00\x00\x00", 1002),
    "a piece of nothing": (b"\x80\x80\x00\x00\x00\x00", 1002),
    "a ping in pieces": (b"\x09\x80\x00\x00\x00\x00", 1002),
    "a ping that is too long": (b"\x89\xfe\x00\x7e\x00\x00\x00\x00" + b"x" * 126, 1002),
    "a size of 2⁶²": (b"\x81\xff\x40" + b"\x00" * 7 + b"\x00" * 4, 1009),
    "a megabyte": (b"\x81\xff" + (2**20).to_bytes(8, "big") + b"\x00" * 4 + b" " * 2**20, 1009),
}


@pytest.mark.parametrize("name", ENDS)
def test_bytes_that_are_no_frame_end_their_socket_alone(
    ann: Caller, bob: Caller, setup: SetUp, name: str
) -> None:
    sent, code = ENDS[name]
    before = len(setup.logs())

    async def scene() -> int | None:
        async with (
            greeted(bob.address, bob.token) as beside,
            greeted(ann.address, ann.token) as wire,
        ):
            wire.connection.transport.write(sent)
            try:
                async with asyncio.timeout(WITHIN):
                    while True:
                        await wire.connection.recv()
            except ConnectionClosed as end:
                assert (await beside.ask("ping"))["type"] == "done"
                return end.rcvd.code if end.rcvd else None

    assert asyncio.run(scene()) == code
    nothing_broke(setup, setup.logs()[before:])


def test_a_frame_too_big_in_pieces_is_too_big(ann: Caller) -> None:
    async def scene() -> None:
        async with greeted(ann.address, ann.token) as wire:
            piece = " " * 1_000
            await wire.connection.send([*[piece] * 65, '{"type": "ping"}' + piece])
            assert await wire.closed() == 1009
            assert wire.of("failed")[0]["error"]["code"] == "too_large"

    asyncio.run(scene())
