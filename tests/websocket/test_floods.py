"""No client can hold up or fill a process by the frames that it sends, signed in or not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from chat.conf import DEFAULTS
from chat.limits.frames import FIRST_FRAMES
from tests.live.processes import Server, SetUp, server, wait_until_ready
from tests.websocket.raw import CLOSE, FIRST_FRAGMENT, FRAGMENT, PING, PONG, Raw, opened, text
from tests.websocket.wire import Caller, greeted, socket

pytestmark = pytest.mark.once

TOO_MANY = 4429
# As many as a socket may send in ten seconds, in production.
FRAMES = 300
# Megabytes that a flood sends at most: what is not closed by then is not closed.
MOST = 20
BURST = 8_000

FLOODS = {
    "pings": (b"", PING),
    "pongs": (b"", PONG),
    "long pings": (b"", b"\x89\xfd\0\0\0\0" + bytes(125)),
    "fragments": (FIRST_FRAGMENT, FRAGMENT),
    "fragments and pings": (FIRST_FRAGMENT, FRAGMENT + PING),
}


@pytest.fixture(scope="module")
def guarded(setup: SetUp, tmp_path_factory: Any) -> Iterator[Server]:
    """A server with the limits of production."""
    environment = {
        **setup.environment,
        "REDIS_PREFIX": f"{setup.environment.get('REDIS_PREFIX', 'parley')}-floods",
        "CHAT_LIMIT_FRAMES": DEFAULTS["LIMIT_FRAMES"],
    }
    logs: Path = tmp_path_factory.mktemp("floods")
    with server(environment, logs / "server.log") as one:
        wait_until_ready(one)
        yield one


def flood(raw: Raw, first: bytes, again: bytes) -> None:
    """Send without reading until the server has gone."""
    raw.send(first)
    burst = again * BURST
    for _ in range(MOST * 1_048_576 // len(burst)):
        if not raw.send(burst):
            return


def ending(raw: Raw, first: bytes, again: bytes) -> int:
    """Flood and read at once, and return the code that the connection is closed with."""
    with ThreadPoolExecutor(1) as thread:
        flooding = thread.submit(flood, raw, first, again)
        code = raw.closed()
        flooding.result()
    return code


@pytest.mark.parametrize("kind", FLOODS)
def test_flood_before_sign_in_is_closed(guarded: Server, kind: str) -> None:
    with opened(guarded.address) as raw:
        assert ending(raw, *FLOODS[kind]) == TOO_MANY


@pytest.mark.parametrize("kind", FLOODS)
def test_flood_after_sign_in_is_closed_and_its_person_kept_out(
    guarded: Server, ann: Caller, kind: str
) -> None:
    with opened(guarded.address, ann.token) as raw:
        assert ending(raw, *FLOODS[kind]) == TOO_MANY

    async def again() -> None:
        async with socket(guarded.address, ann.token) as wire:
            assert (await wire.hear("failed"))["error"]["code"] == "rate_limited"
            assert await wire.closed() == TOO_MANY

    asyncio.run(again())


def test_flood_that_reads_nothing_is_closed_too(guarded: Server, ann: Caller) -> None:
    for token in (None, ann.token):
        with opened(guarded.address, token) as raw:
            flood(raw, *FLOODS["long pings"])
            assert raw.closed() == TOO_MANY


def test_large_first_frame_is_cut_while_it_comes(guarded: Server) -> None:
    """Before sign-in a frame of the usual limit is far too large, and so are many small ones."""
    with opened(guarded.address) as raw:
        raw.send(text(b"x" * 65_000)[:60_000])
        assert raw.closed() == TOO_MANY
    with opened(guarded.address) as raw:
        raw.send(PING)
        answers = []
        for opcode, payload in raw.frames():
            answers.append(payload)
            if opcode == CLOSE:
                break
            raw.send(PING)
        assert answers[-1] == TOO_MANY.to_bytes(2)
        assert 2 * FIRST_FRAMES < len(answers) < FRAMES


def test_control_frames_count_with_messages(guarded: Server, ann: Caller) -> None:
    """As many pings as a socket may send leave no room for a message."""
    with opened(guarded.address, ann.token) as raw:
        raw.send(PING * FRAMES + text(b'{"type": "ping", "ref": "late"}'))
        answer = next(payload for opcode, payload in raw.frames() if opcode == 1)
        assert b"rate_limited" in answer
        assert b'"late"' in answer


def test_many_floods_at_once_end_alone(guarded: Server, ann: Caller, bob: Caller) -> None:
    """Beside them a socket is answered, and so is a health check."""
    room = bob.group()

    async def scene() -> None:
        async with greeted(guarded.address, bob.token) as wire:
            attacks = [
                asyncio.create_task(asyncio.to_thread(attack, guarded.address, kind))
                for kind in FLOODS
            ]
            for number in range(50):
                answer = await wire.ask("message.send", room=room, text=str(number))
                assert answer["type"] == "done"
            assert await asyncio.to_thread(healthy, guarded.port)
            assert await asyncio.gather(*attacks) == [TOO_MANY] * len(FLOODS)

    asyncio.run(scene())


def attack(address: str, kind: str) -> int:
    with opened(address) as raw:
        return ending(raw, *FLOODS[kind])


def healthy(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    finally:
        connection.close()
