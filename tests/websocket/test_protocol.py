"""The protocol class on a real connection in this process: pieces, pings that nobody reads, time, and every end."""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from chat.server import limited
from chat.server.websocket import Protocol
from tests.websocket.raw import FIRST_FRAGMENT, FRAGMENT, PING, handshake, text
from tests.websocket.test_slow import drained

pytestmark = pytest.mark.once

PINGS = 40_000
# What uvicorn's transports hold back before they ask to pause.
HIGH_WATER = 65_536
TOO_LATE = 4408
LEAVING = 1012


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Accept, and take messages until the client has gone."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        pass


async def hesitating(scope: Any, receive: Any, send: Any) -> None:
    """Neither accept nor refuse."""
    await receive()
    await receive()


@asynccontextmanager
async def connected(
    app: Callable[..., Awaitable[None]] = echo, head: bytes | None = None
) -> AsyncIterator[tuple[Protocol, sockets.socket]]:
    """Connect the protocol class to a client's end, which has sent its handshake."""
    config = Config(app, lifespan="off", ws=Protocol, log_config=None)
    config.load()
    ours, theirs = sockets.socketpair()
    with theirs:
        theirs.setblocking(False)
        protocol = Protocol(config, ServerState(), {})
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: protocol, sock=ours)
        protocol.data_received(handshake() if head is None else head)
        yield protocol, theirs
        protocol.transport.abort()
        await until(lambda: protocol not in protocol.connections)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def received(theirs: sockets.socket, wanted: bytes) -> bytes:
    """Return what the client receives up to these bytes."""
    taken = b""
    async with asyncio.timeout(30):
        while wanted not in taken:
            await asyncio.sleep(0)
            taken += drained(theirs)
    return taken


def test_flood_is_parsed_in_pieces_with_turns_of_the_loop_between() -> None:
    async def scene() -> None:
        async with connected() as (protocol, theirs):
            await received(theirs, b"\r\n\r\n")
            protocol.data_received(PING * PINGS)
            turns, most, pongs = 0, 0, 0
            async with asyncio.timeout(30):
                while pongs < PINGS:
                    await asyncio.sleep(0)
                    came = len(drained(theirs)) // 2
                    turns, most, pongs = turns + 1, max(most, came), pongs + came
            assert most <= 2 * limited.PIECE // len(PING)

    asyncio.run(scene())


def test_a_large_message_arrives_whole() -> None:
    taken: list[str] = []

    async def keeping(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            taken.append(message["text"])

    async def scene() -> None:
        async with connected(keeping) as (protocol, _):
            await until(lambda: protocol.handshake_complete)
            texts = ["x" * 60_000, "y", "z" * 9_000]
            protocol.data_received(b"".join(text(one.encode()) for one in texts))
            await until(lambda: len(taken) == len(texts))
            assert taken == texts

    asyncio.run(scene())


def test_pongs_that_nobody_reads_do_not_pile_up() -> None:
    async def scene() -> None:
        async with connected() as (protocol, theirs):
            await received(theirs, b"\r\n\r\n")
            long = b"\x89\xfd\0\0\0\0" + bytes(125)
            for _ in range(100):
                protocol.data_received(long * 1_000)
                await until(lambda: not protocol._rest)
            newest = b"\x89\x86\0\0\0\0newest"
            protocol.data_received(newest)
            assert protocol.transport.get_write_buffer_size() < 2 * HIGH_WATER
            assert (await received(theirs, b"newest")).endswith(b"\x8a\x06newest")

    asyncio.run(scene())


@pytest.mark.parametrize(
    "begun",
    [b"\x81", b"\x81\xfe\x10\x00\0\0\0\0half", FIRST_FRAGMENT, FIRST_FRAGMENT + FRAGMENT + PING],
    ids=["half a head", "half a frame", "a fragment", "fragments and a ping"],
)
def test_message_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(limited, "MESSAGE_TIMEOUT", 0.05)

    async def scene() -> None:
        async with connected() as (protocol, theirs):
            await received(theirs, b"\r\n\r\n")
            protocol.data_received(text(b"whole"))
            await until(lambda: not protocol.read_paused)
            protocol.data_received(begun)
            await received(theirs, b"\x88\x02" + TOO_LATE.to_bytes(2))

    asyncio.run(scene())


def test_complete_messages_have_no_end_to_wait_for() -> None:
    async def scene() -> None:
        async with connected() as (protocol, theirs):
            await received(theirs, b"\r\n\r\n")
            protocol.data_received(FIRST_FRAGMENT)
            assert protocol._deadline is not None
            protocol.data_received(b"\x80\x80\0\0\0\0" + PING)
            assert protocol._deadline is None
            # A ping that came in two packets, after which the client is silent.
            protocol.data_received(PING[:2])
            protocol.data_received(PING[2:])
            assert protocol._deadline is None

    asyncio.run(scene())


@pytest.mark.parametrize(
    "behind",
    [PING, b"\x88\x82\0\0\0\0" + (1000).to_bytes(2), text(b"x") + PING],
    ids=["ping", "close", "message"],
)
def test_frames_behind_text_that_is_not_utf_8_are_dropped(behind: bytes) -> None:
    async def scene() -> None:
        async with connected() as (protocol, theirs):
            await received(theirs, b"\r\n\r\n")
            protocol.data_received(text(b"\xff") + behind)
            # A close frame: 1007, or the answer to that of the client.
            await received(theirs, b"\x88\x02")
            assert protocol.close_timer is not None

    asyncio.run(scene())


def test_what_comes_before_the_handshake_is_answered_waits() -> None:
    async def scene() -> None:
        async with connected(hesitating) as (protocol, theirs):
            protocol.data_received(PING)
            for _ in range(10):
                await asyncio.sleep(0)
            assert drained(theirs) == b""

    asyncio.run(scene())


# The server stops: one connection after the other is asked to close.


async def refused(protocol: Protocol, theirs: sockets.socket) -> None:
    """Nothing to do: the handshake was refused."""


async def flooded(protocol: Protocol, theirs: sockets.socket) -> None:
    await received(theirs, b"\r\n\r\n")
    protocol._end(4429)


async def closed_by_peer(protocol: Protocol, theirs: sockets.socket) -> None:
    """The client has closed and reads nothing, so that the answer to it waits."""
    await received(theirs, b"\r\n\r\n")
    protocol.transport.write(bytes(10_000_000))
    protocol.data_received(b"\x88\x82\0\0\0\0" + (1000).to_bytes(2))


async def half_closed(protocol: Protocol, theirs: sockets.socket) -> None:
    await received(theirs, b"\r\n\r\n")
    protocol.transport.write(bytes(10_000_000))
    theirs.shutdown(sockets.SHUT_WR)
    await until(protocol.transport.is_closing)


async def silent(protocol: Protocol, theirs: sockets.socket) -> None:
    await received(theirs, b"\r\n\r\n")


async def not_accepted(protocol: Protocol, theirs: sockets.socket) -> None:
    """Nothing to do: the application has not answered the handshake."""


LONG_LINE = handshake(b"X-Long: " + b"x" * 70_000 + b"\r\n")
STATES: dict[str, tuple[Any, Any, bytes | None]] = {
    "refused, line too long": (refused, echo, LONG_LINE),
    "refused, with a body": (refused, echo, handshake(b"Content-Length: 5\r\n")),
    "refused, bad key": (refused, echo, handshake(b"Sec-WebSocket-Key: x\r\n")),
    "flooded": (flooded, echo, None),
    "closed by the peer": (closed_by_peer, echo, None),
    "half closed": (half_closed, echo, None),
    "silent": (silent, echo, None),
    "not accepted": (not_accepted, hesitating, None),
}


@pytest.mark.parametrize("state", STATES)
def test_a_connection_in_any_state_can_be_asked_to_close(
    state: str, caplog: pytest.LogCaptureFixture
) -> None:
    bring, app, head = STATES[state]

    async def scene() -> None:
        async with connected(app, head) as (protocol, theirs):
            await bring(protocol, theirs)
            protocol.shutdown()
            protocol.shutdown()
            if state == "silent":
                await received(theirs, LEAVING.to_bytes(2))

    asyncio.run(scene())
    assert "could not be closed" not in caplog.text


def test_a_connection_that_fails_to_close_raises_nothing_and_is_cut() -> None:
    def failing() -> None:
        raise RuntimeError

    async def scene() -> None:
        async with connected() as (protocol, theirs):
            await received(theirs, b"\r\n\r\n")
            protocol.scope["state"]["chat.leave"] = failing
            protocol.shutdown()
            await until(protocol.transport.is_closing)

    asyncio.run(scene())
