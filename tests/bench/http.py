"""A cheap HTTP client: connections that are kept, one request in flight on each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import orjson

from tests.bench.machine import Failed


def request(method: str, path: str, body: object = None, token: str = "") -> bytes:
    """Return a request as it goes over the wire."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
    lines += ["Content-Type: application/json"] if content else []
    lines += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*lines, "", ""]).encode() + content


class Caller(asyncio.Protocol):
    """Sends request after request, as long as there are some, and hands each answer on."""

    def __init__(
        self, requests: Iterator[bytes], answer: Callable[[int, bytes, float], None]
    ) -> None:
        self.requests = requests
        self.answer = answer
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._data = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(Failed(f"the connection ended: {error}"))

    def _ask(self) -> None:
        try:
            following = next(self.requests)
        except StopIteration:
            self.ended.set_result(None)
            self.transport.close()
            return
        self._asked_at = time.perf_counter()
        self.transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head = self._data.find(b"\r\n\r\n") + 4
        if head < 4:
            return
        size = self._data[:head].lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        stop = head + int(size or 0)
        if len(self._data) < stop:
            return
        status, body, self._data = int(self._data[9:12]), self._data[head:stop], self._data[stop:]
        try:
            self.answer(status, body, time.perf_counter() - self._asked_at)
        except Exception as error:
            self.ended.set_exception(error)
            self.transport.close()
            return
        self._ask()


async def call(
    port: int,
    requests: Iterator[bytes],
    answer: Callable[[int, bytes, float], None],
    connections: int = 16,
) -> None:
    """Send all requests over so many connections; ``answer`` gets status, body and seconds of each."""
    loop = asyncio.get_running_loop()
    callers = [Caller(requests, answer) for _ in range(connections)]
    for one in callers:
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)
    await asyncio.gather(*(one.ended for one in callers))


async def ask_all(port: int, requests: list[tuple[str, str, object, str]]) -> list[object]:
    """Send requests, given as method, path, body and token, 16 at once; return the answers in their order."""
    answers: dict[int, object] = {}

    async def lane(first: int) -> None:
        places = range(first, len(requests), 16)
        left = iter(places)

        def answer(status: int, body: bytes, _: float) -> None:
            if status >= 300:
                raise Failed(f"{status}: {body[:300]!r}")
            answers[next(left)] = orjson.loads(body) if body else None

        await call(port, (request(*requests[n]) for n in places), answer, connections=1)

    await asyncio.gather(*map(lane, range(min(16, len(requests)))))
    return [answers[n] for n in range(len(requests))]
