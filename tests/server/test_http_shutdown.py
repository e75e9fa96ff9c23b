"""A process that is told to leave does so in order, whatever state its HTTP connections are in."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from time import sleep

import pytest

from tests.live.processes import GONE_WITHIN, Server, serving
from tests.server.conftest import BODY_MAX, environment
from tests.server.raw import HOST, all_of, answers, connected
from tests.websocket.wire import Caller, greeted

GET = b"GET /healthz HTTP/1.1\r\n" + HOST
POST = b"POST /api/sync/ HTTP/1.1\r\n" + HOST
# Each leaves a connection in another state.
SAID = {
    "silent": b"",
    "half a request line": b"GET /hea",
    "half a head": GET,
    "half a body": POST + b"Content-Length: 10\r\n\r\n{",
    "half a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{",
    "refused for its length": POST + b"Content-Length: %d\r\n\r\n" % (BODY_MAX + 1),
    "refused for its head": GET + b"a:b\r\n" * 20_000,
    "answered": GET + b"\r\n",
    "answers not read": (b"GET /api/schema/ HTTP/1.1\r\n" + HOST + b"\r\n") * 200,
}


def say(wire: socket.socket, words: bytes) -> None:
    wire.settimeout(1)
    # The server may read no more of it.
    with suppress(TimeoutError):
        wire.sendall(words)
    wire.settimeout(GONE_WITHIN)


def test_every_connection_lets_the_process_leave(tmp_path: Path) -> None:
    heard = asyncio.run(leave(tmp_path))
    for name in ("half a body", "half a chunk"):
        (answer,) = answers(heard[name])
        assert (answer.status, answer.error["code"]) == (503, "unavailable")
    assert heard["silent"] == heard["half a head"] == b""


async def leave(tmp_path: Path) -> dict[str, bytes]:
    """Have a process leave while it has all these connections; returns what they were answered."""
    calm = {**environment(tmp_path), "CHAT_REQUEST_WAIT": "60"}
    with serving("leaving", calm, tmp_path, processes=1) as setup, ExitStack() as held:
        (server,) = setup.servers
        caller = Caller.registered(server.address, "leaver")
        wires = {name: held.enter_context(connected(server.port)) for name in SAID}
        for name, words in SAID.items():
            say(wires[name], words)
        async with greeted(server.address, caller.token) as socket_of_caller:
            server.process.send_signal(signal.SIGTERM)
            assert await socket_of_caller.closed() == 1012
            assert socket_of_caller.of("leaving")
        heard = {name: all_of(wires[name]) for name in SAID if name != "answers not read"}
        assert server.process.wait(GONE_WITHIN) == -signal.SIGTERM
        left_in_order(server)
        return heard


def left_in_order(server: Server) -> None:
    """Nothing had to be cancelled, and nothing went wrong."""
    log = server.log.read_text()
    assert "Finished server process" in log
    assert "Cancel" not in log
    assert "Traceback" not in log


def wait_until_leaving(server: Server) -> None:
    """Return when the process takes no new connections."""
    for _ in range(int(GONE_WITHIN / 0.05)):
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
        except ConnectionRefusedError:
            return
        sleep(0.05)
    pytest.fail("the process takes connections after SIGTERM")


def test_a_request_under_way_is_answered(tmp_path: Path) -> None:
    body = b"{}" + b" " * 1_000
    with serving("answering", environment(tmp_path), tmp_path, processes=1) as setup:
        (server,) = setup.servers
        with connected(server.port) as wire:
            wire.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body[:500])
            # The head has been read, because it is asked to go on.
            with connected(server.port) as other:
                asks = POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
                other.sendall(asks)
                assert other.recv(4_096).startswith(b"HTTP/1.1 100 ")
                server.process.send_signal(signal.SIGTERM)
                wait_until_leaving(server)
                for one, rest in ((wire, body[500:]), (other, body)):
                    one.sendall(rest)
                    (answer,) = answers(all_of(one))
                    assert answer.status == 401
                    assert answer.headers["connection"] == "close"
        assert server.process.wait(GONE_WITHIN) == -signal.SIGTERM
        left_in_order(server)
