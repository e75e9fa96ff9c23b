"""A handshake that cannot be taken is answered by HTTP and closed, and keeps nobody from a graceful end."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live.processes import GONE_WITHIN, SetUp, server, wait_until_ready
from tests.websocket.raw import Raw, handshake
from tests.websocket.wire import Caller, greeted

pytestmark = pytest.mark.once

LISTENERS = 12
LEAVING = 1012
# More headers than the WebSocket library takes, and a line longer than that.
MANY = b"".join(b"X-%d: x\r\n" % number for number in range(129))
LONG = b"Cookie: a=" + b"x" * 70_000 + b"\r\n"

REFUSED = {
    "a line too long": (handshake(LONG), b"431"),
    "too many headers": (handshake(MANY), b"431"),
    "a length": (handshake(b"Content-Length: 5\r\n") + b"hello", b"400"),
    "chunks": (handshake(b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n", b"400"),
    "two keys": (handshake(b"Sec-WebSocket-Key: x\r\n"), b"400"),
    "a bad key": (handshake().replace(b"dGhl", b"!!!!"), b"400"),
    "no key": (handshake().replace(b"Sec-WebSocket-Key", b"X-Key"), b"400"),
    "another version": (handshake().replace(b"Version: 13", b"Version: 8"), b"426"),
    "two hosts": (handshake(b"Host: evil.example\r\n"), b"400"),
    "another method": (handshake().replace(b"GET", b"PUT"), b"405"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_refused_handshake_is_answered_and_closed(setup: SetUp, why: str) -> None:
    head, status = REFUSED[why]
    raw = Raw(setup.addresses[0])
    with raw.sock:
        raw.send(head)
        assert raw.rest().startswith(b"HTTP/1.1 " + status + b" ")
    assert "Traceback" not in setup.logs()


def test_cookies_of_nine_kilobytes_are_taken(here: str, ann: Caller) -> None:
    raw = Raw(here)
    with raw.sock:
        cookie = b"Cookie: a=" + b"x" * 9_000 + b"\r\n"
        raw.send(handshake(cookie, offer=f"chat.v1, bearer.{ann.token}".encode()))
        assert raw.head().startswith(b"HTTP/1.1 101 ")
        assert b'"hello"' in next(raw.frames())[1]


def test_refused_handshakes_keep_nobody_from_a_graceful_end(
    setup: SetUp, ann: Caller, tmp_path: Path
) -> None:
    async def listen(address: str, ready: asyncio.Semaphore) -> tuple[str, int]:
        async with greeted(address, ann.token) as wire:
            ready.release()
            code = await wire.closed()
            return str(wire.heard[-1]["type"]), code

    async def scene(address: str) -> None:
        ready = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as group:
            ears = [group.create_task(listen(address, ready)) for _ in range(LISTENERS)]
            for _ in ears:
                await ready.acquire()
            with ExitStack() as held:
                for number, (head, _) in enumerate([*REFUSED.values()] * 2):
                    raw = Raw(address)
                    held.enter_context(raw.sock)
                    raw.send(head)
                    if number == len(REFUSED):
                        # In the middle of them.
                        one.process.send_signal(signal.SIGTERM)
                await asyncio.gather(*ears)
        assert [ear.result() for ear in ears] == [("leaving", LEAVING)] * LISTENERS
        await asyncio.to_thread(one.process.wait, GONE_WITHIN)

    with server(setup.environment, tmp_path / "leaver.log") as one:
        wait_until_ready(one)
        asyncio.run(scene(one.address))
        assert "Traceback" not in one.log.read_text()
