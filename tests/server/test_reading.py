"""Requests are read piece by piece and one at a time, however their bytes arrive."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import Any

import pytest
import uvicorn

from chat.server.http import HttpProtocol
from chat.server.quotas import HeldBody
from chat.server.reading import AHEAD_MAX, PIECE, SMALL_BODY
from chat.server.turns import Turns
from tests.server.raw import HOST, WITHIN, all_of, answers, chunks, connected

App = Callable[[dict[str, Any], Any, Any], Any]
CLOSE = b"GET /end HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"


async def body_of(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def answer(send: Any, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with the path and the body, and with the headers that begin with `x-`."""
    body = await body_of(receive)
    marked = b",".join(name for name, _ in scope["headers"] if name.startswith(b"x-"))
    await answer(send, b"|".join([scope["path"].encode(), marked, body]))


@contextmanager
def served(app: App, loop: str) -> Iterator[int]:
    """Serve an application by this protocol, in a thread; yields the port."""
    config = uvicorn.Config(
        app, http=HttpProtocol, lifespan="off", log_config=None, loop=loop, ws="none"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(WITHIN)
    assert not thread.is_alive()


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    with served(echo, request.param) as found:
        yield found


def request(number: int, kind: str, body: bytes) -> bytes:
    head = b"POST /%d HTTP/1.1\r\n" % number + HOST
    if kind == "none":
        return b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n"
    if kind == "length":
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    cut = len(body) // 3 + 1
    pieces = [body[at : at + cut] for at in range(0, len(body), cut)]
    trailers = b"X-Trailer: x\r\n" if kind == "trailers" else b""
    return (
        head
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + chunks(*pieces)
        + b"0\r\n"
        + trailers
        + b"\r\n"
    )


@pytest.mark.parametrize("seed", range(20))
def test_requests_are_answered_in_order_however_they_are_cut(port: int, seed: int) -> None:
    chance = random.Random(seed)
    said, wanted = b"", []
    for number in range(chance.randint(1, 12)):
        kind = chance.choice(["none", "length", "chunked", "trailers"])
        # Bytes that look like the end of a head.
        body = bytes(chance.choices(b"\r\nab", k=chance.choice([0, 1, 5, 40, 900])))
        said += request(number, kind, body)
        wanted.append(b"/%d||" % number + (b"" if kind == "none" else body))
    said += CLOSE
    with connected(port) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while said:
            cut = chance.choice([1, 2, 3, 7, 50, 1_000, len(said)])
            wire.sendall(said[:cut])
            said = said[cut:]
        heard = [one.body for one in answers(all_of(wire))]
    assert heard == [*wanted, b"/end||"]


@pytest.mark.parametrize("kind", ["length", "chunked"])
def test_a_large_body_arrives_whole(port: int, kind: str) -> None:
    body = random.Random(0).randbytes(1_500_000)
    with connected(port) as wire:
        wire.sendall(request(1, kind, body) + CLOSE)
        assert [one.body for one in answers(all_of(wire))] == [b"/1||" + body, b"/end||"]


@pytest.mark.parametrize("body", ["length", "chunked"])
def test_an_upgrade_that_is_not_offered_is_ignored_with_its_body_kept(port: int, body: str) -> None:
    """Java's HttpClient asks for HTTP/2 so, and sends the body with it."""
    said = request(1, body, b'{"a": 1}')
    asks = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nX-Kept: 1\r\n"
    with connected(port) as wire:
        wire.sendall(said.replace(HOST, HOST + asks) + CLOSE)
        heard = [one.body for one in answers(all_of(wire))]
    assert heard == [b'/1|x-kept|{"a": 1}', b"/end||"]


async def answer_early(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer without reading the body."""
    await answer(send, b"early")


@pytest.mark.parametrize("rest", [b"llo", b"llo" + CLOSE], ids=["and nothing", "and a request"])
def test_a_connection_answered_before_its_body_came_goes_on_and_ends(
    configured: Callable[..., None], rest: bytes
) -> None:
    configured(REQUEST_WAIT=1)
    with served(answer_early, "uvloop") as port, connected(port) as wire:
        wire.sendall(request(1, "length", b"hello")[:-3])
        heard = wire.recv(65_536)
        wire.sendall(rest)
        heard += all_of(wire)
    wanted = 1 + rest.endswith(CLOSE)
    assert [one.body for one in answers(heard)] == [b"early"] * wanted


async def tell_held(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer without reading the body how many bytes of bodies the process counts."""
    await answer(send, b"%d" % HeldBody._all)


def test_a_body_that_comes_after_its_answer_is_not_counted() -> None:
    body = b"x" * 2 * SMALL_BODY
    with served(tell_held, "uvloop") as port, connected(port) as wire:
        wire.sendall(request(1, "length", body)[: -len(body)])
        heard = wire.recv(65_536)
        wire.sendall(body + CLOSE)
        heard += all_of(wire)
    assert [one.body for one in answers(heard)] == [b"0", b"0"]


class Gate:
    """An application whose path `/block` has the whole loop stand still until :meth:`open`; else it echoes."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self._blocked, self._opened = Event(), Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] == "/block":
            self._blocked.set()
            self._opened.wait(WITHIN)
        await echo(scope, receive, send)
        self.ended.append(scope["path"])

    @contextmanager
    def closed(self, port: int) -> Iterator[None]:
        """Have the loop stand still, so that all that is sent meanwhile arrives at once."""
        with connected(port) as wire:
            wire.sendall(b"GET /block HTTP/1.1\r\n" + HOST + b"\r\n")
            assert self._blocked.wait(WITHIN)
            yield
            self._opened.set()
            assert wire.recv(65_536)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_connection_takes_turns_with_others(loop: str) -> None:
    """A connection that has sent much does not have all of it parsed before another one's turn."""
    gate = Gate()
    head = b"POST /long HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\n"
    long = head + chunks(*[b"x"] * (10 * PIECE // 6)) + b"0\r\n\r\n"
    with served(gate, loop) as port, connected(port) as first, connected(port) as second:
        with gate.closed(port):
            first.sendall(long)
            second.sendall(b"GET /short HTTP/1.1\r\n" + HOST + b"\r\n")
        assert first.recv(65_536)
        assert second.recv(65_536)
    assert gate.ended == ["/block", "/short", "/long"]


def test_a_connection_that_fails_takes_no_turn_from_the_others() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        failures: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _loop, context: failures.append(context))
        turns, parsed = Turns(loop), asyncio.Event()

        def fail() -> None:
            raise RuntimeError("This connection fails.")

        turns.add("192.0.2.1", fail)
        turns.add("192.0.2.1", parsed.set)
        async with asyncio.timeout(WITHIN):
            await parsed.wait()
        assert len(failures) == 1

    asyncio.run(scene())


def test_an_address_with_many_connections_does_not_delay_a_body_from_another() -> None:
    gate = Gate()
    head = b"Transfer-Encoding: chunked\r\n" + HOST + b"\r\n"
    long = head + chunks(*[b"x"] * (10 * PIECE // 6)) + b"0\r\n\r\n"
    with served(gate, "uvloop") as port, ExitStack() as stack:
        many = [stack.enter_context(connected(port, "127.0.0.2")) for _ in range(20)]
        other = stack.enter_context(connected(port))
        with gate.closed(port):
            for number, wire in enumerate(many):
                wire.sendall(b"POST /many/%d HTTP/1.1\r\n" % number + long)
            other.sendall(b"POST /other HTTP/1.1\r\n" + long)
        for wire in [*many, other]:
            assert wire.recv(65_536)
    assert gate.ended[:2] == ["/block", "/other"]


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_requests_far_in_advance_are_dropped_after_the_answer(loop: str) -> None:
    gate = Gate()
    far = request(2, "length", b"x" * 3 * AHEAD_MAX)
    with served(gate, loop) as port, connected(port) as wire:
        with gate.closed(port):
            wire.sendall(request(1, "none", b"") + far + CLOSE)
        heard = [one.body for one in answers(all_of(wire))]
    assert heard == [b"/1||"]
    assert gate.ended == ["/block", "/1"]
