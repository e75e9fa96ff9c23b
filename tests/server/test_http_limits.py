"""Requests that are too large, too many or too slow are refused by the server itself, whoever sends them."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from time import sleep

import pytest

from chat.server.http import BODY_RATE
from chat.server.reading import BODIES, HEADERS_MAX, SMALL_BODY, URL_MAX
from tests.live.processes import Server, says_ready
from tests.server.conftest import BODY_MAX, CONNECTIONS, WAIT
from tests.server.raw import HOST, Answer, all_of, answer_to, answers, chunks, connected

GET = b"GET /healthz HTTP/1.1\r\n" + HOST
POST = b"POST /api/sync/ HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HANDSHAKE = (
    b"GET /ws/ HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
# Not the address of a trusted proxy.
CLIENT = "127.0.0.2"
# More than the kernel keeps on both sides of a connection.
MUCH = 64 * 1_048_576


def length(size: int) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % size


def refused(answer: Answer, status: int, code: str) -> None:
    """The answer is a refusal in the shape of the API, and safe to show to a browser."""
    assert (answer.status, answer.error["code"]) == (status, code), answer
    assert answer.error["detail"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["connection"] == "close"
    assert "server" not in answer.headers


@pytest.mark.parametrize("start", [GET, HANDSHAKE], ids=["request", "handshake"])
@pytest.mark.parametrize(
    "rest",
    [b"a:b\r\n" * 20_000, b"a: " + b"b" * 100_000, b"a" * 100_000],
    ids=["many lines", "a long value", "a long name"],
)
def test_a_head_without_end_is_refused(port: int, start: bytes, rest: bytes) -> None:
    refused(answer_to(port, start + rest), 431, "too_large")


@pytest.mark.parametrize("start", [GET, HANDSHAKE], ids=["request", "handshake"])
@pytest.mark.parametrize("end", [b"\r\n", b""], ids=["whole", "cut"])
def test_too_many_headers_are_refused(port: int, start: bytes, end: bytes) -> None:
    refused(answer_to(port, start + b"a:b\r\n" * (HEADERS_MAX + 1) + end), 431, "too_large")


@pytest.mark.parametrize("rest", [b" HTTP/1.1\r\n" + HOST + b"\r\n", b""], ids=["whole", "cut"])
def test_a_long_url_is_refused(port: int, rest: bytes) -> None:
    refused(answer_to(port, b"GET /" + b"x" * URL_MAX + rest), 414, "too_large")


def test_a_head_within_the_limits_is_served(port: int) -> None:
    cookie = b"Cookie: a=" + b"x" * 16_000 + b"\r\n"
    said = GET + cookie * 2 + b"Connection: close\r\n\r\n"
    assert answer_to(port, said).status == 200


def test_what_follows_a_chunked_body_without_end_is_refused(port: int) -> None:
    body = CHUNKED + chunks(b"{}")
    refused(answer_to(port, body + b"0\r\n" + b"a:b\r\n" * 20_000), 431, "too_large")
    refused(answer_to(port, body + b"0\r\na: " + b"b" * 100_000), 431, "too_large")
    refused(answer_to(port, body + b"2;" + b"x" * 100_000), 431, "too_large")


@pytest.mark.parametrize("sent", [0, 20 * BODY_MAX])
def test_a_body_is_refused_by_its_length(port: int, sent: int) -> None:
    """Even a client that sends all of it before it listens can read why."""
    refused(answer_to(port, POST + length(20 * BODY_MAX), b"x" * sent), 413, "too_large")


def test_a_client_that_asks_first_is_not_told_to_go_on(port: int) -> None:
    said = POST + b"Expect: 100-continue\r\n" + length(BODY_MAX + 1)
    refused(answer_to(port, said), 413, "too_large")


def test_a_chunked_body_is_cut_at_the_limit(port: int) -> None:
    refused(answer_to(port, CHUNKED, *[chunks(b"x" * 50_000)] * 80), 413, "too_large")


def test_a_body_at_the_limit_reaches_the_application(port: int) -> None:
    said = POST + b"Connection: close\r\n" + length(BODY_MAX) + b"x" * BODY_MAX
    assert answer_to(port, said).error["code"] == "unauthenticated"


@pytest.mark.parametrize(
    "said",
    [
        b"rubbish\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://localhost HTTP/1.1\r\n" + HOST + b"\r\n",
        GET + b"a\x00b: c\r\n\r\n",
        POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        POST + b"Content-Length: -1\r\n\r\n",
        CHUNKED + b"zz\r\n",
        POST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=repr,
)
def test_what_is_not_http_is_refused_without_a_traceback(server: Server, said: bytes) -> None:
    refused(answer_to(server.port, said), 400, "invalid")
    assert "Traceback" not in server.log.read_text()


def test_connect_is_refused(port: int) -> None:
    refused(
        answer_to(port, b"CONNECT localhost:1 HTTP/1.1\r\n" + HOST + b"\r\n"), 405, "unsupported"
    )


@pytest.mark.parametrize("path", [b"/healthz", b"/api/schema/"], ids=repr)
def test_a_client_that_reads_no_answers_is_not_read_from(port: int, path: bytes) -> None:
    requests = (b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n") * 5_000
    with connected(port) as wire:
        wire.settimeout(WAIT)
        assert sent_until_blocked(wire, requests) < MUCH
        assert says_ready(port)


def sent_until_blocked(wire: socket.socket, piece: bytes) -> int:
    """Send until the server reads no more, or MUCH; returns how many bytes it took."""
    sent = 0
    try:
        while sent < MUCH:
            sent += wire.send(piece)
    except TimeoutError:
        pass
    return sent


def test_a_silent_connection_is_closed_without_a_word(port: int) -> None:
    with connected(port) as wire:
        assert all_of(wire) == b""


def test_a_head_that_does_not_end_is_refused(port: int) -> None:
    refused(answer_to(port, GET), 408, "unavailable")


def test_a_head_that_comes_drop_by_drop_is_refused(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(GET)
        wire.settimeout(WAIT / 10)
        heard = b""
        for _ in range(10 * WAIT + 50):
            wire.sendall(b"a:b\r\n")
            try:
                heard = wire.recv(65_536)
                break
            except TimeoutError:
                continue
        (answer,) = answers(heard)
    refused(answer, 408, "unavailable")


@pytest.mark.parametrize("said", [POST + length(10) + b"{", CHUNKED + chunks(b"{")], ids=repr)
def test_a_body_that_does_not_end_is_refused(port: int, said: bytes) -> None:
    refused(answer_to(port, said), 408, "unavailable")


def test_a_slow_body_is_read_for_as_long_as_it_goes_on(port: int) -> None:
    pieces, pause = 8, WAIT / 2
    piece = b"x" * int(2 * BODY_RATE * pause)
    with connected(port) as wire:
        wire.sendall(POST + b"Connection: close\r\n" + length(pieces * len(piece)))
        for _ in range(pieces):
            sleep(pause)
            wire.sendall(piece)
        (answer,) = answers(all_of(wire))
    assert answer.error["code"] == "unauthenticated"


def test_an_idle_connection_is_closed_after_its_answer(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(GET + b"\r\n")
        (answer,) = answers(all_of(wire))
    assert answer.status == 200


def test_one_address_has_a_limited_number_of_connections(port: int) -> None:
    said = GET + b"Connection: close\r\n\r\n"
    with ExitStack() as held:
        for _ in range(CONNECTIONS):
            held.enter_context(connected(port, CLIENT))
        with connected(port, CLIENT) as wire:
            (answer,) = answers(all_of(wire))
        refused(answer, 429, "rate_limited")
        assert answer.headers["retry-after"] == str(answer.error["retry_after"])
        # Another address, and that of a proxy, are not held back.
        assert answer_to(port, said, source="127.0.0.3").status == 200
        assert says_ready(port)
    # Those connections have ended by the time that the server has read so.
    assert until_served(port, said).status == 200


def until_served(port: int, said: bytes) -> Answer:
    for _ in range(100):
        with connected(port, CLIENT) as wire:
            wire.sendall(said)
            try:
                (answer,) = answers(all_of(wire))
            except ConnectionError:
                continue
        if answer.status == 200:
            break
    return answer


def test_large_bodies_share_a_limit_and_small_ones_are_served(port: int) -> None:
    part = BODY_MAX - 1
    small = POST + b"Connection: close\r\n" + length(SMALL_BODY) + b"x" * SMALL_BODY
    with ExitStack() as held:
        # From several addresses, because one has fewer connections.
        sources = [f"127.0.0.{10 + number // CONNECTIONS}" for number in range(BODIES + 2)]
        wires = [held.enter_context(connected(port, source)) for source in sources]
        for wire in wires:
            wire.sendall(POST + length(BODY_MAX) + b"x" * part)
        assert answer_to(port, small).error["code"] == "unauthenticated"
        heard = [answers(all_of(wire))[0] for wire in wires]
    codes = sorted(one.status for one in heard)
    assert codes[0] == 408
    assert codes[-1] == 503
    # All are ended, and what they held is free again.
    for _ in range(BODIES + 2):
        said = POST + b"Connection: close\r\n" + length(BODY_MAX) + b"x" * BODY_MAX
        assert answer_to(port, said).error["code"] == "unauthenticated"
