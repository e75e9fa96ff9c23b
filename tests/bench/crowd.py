"""Many websockets in one cheap client: frames are counted, numbered and timed, and hardly ever parsed."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable, Sequence

DONE = b'{"type":"done"'
FAILED = b'{"type":"failed"'
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
# Ample: what does not come within it does not come.
EARS_OPEN_WITHIN = 60


class Lost(Exception):
    """A socket ended, or a delivery did not come, in ample time."""


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a client's frame; its mask is zero, so that masking costs the generator nothing."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, 0x80 | size)) + b"\0\0\0\0" + payload
    return bytes((0x80 | opcode, 0xFE, size >> 8, size & 255)) + b"\0\0\0\0" + payload


class Ear(asyncio.Protocol):
    """One socket of a crowd.

    ``deliveries`` counts frames that begin with the crowd's ``event``; ``answered`` is called on each ``done``,
    ``on_frame`` with each text.
    """

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.crowd = crowd
        self.request = request
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answered: Callable[[Ear], None] | None = None
        self.on_frame: Callable[[bytes], None] | None = None
        self.deliveries = 0
        self.asked_at = 0.0
        self._rest = b""
        self._open = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.write(self.request)

    def connection_lost(self, error: Exception | None) -> None:
        self.crowd.lost(self, f"the connection ended: {error}")

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        if not self._open:
            at = self._shaken(data)
            if not at:
                self._rest = data
                return
        before = self.deliveries
        while end - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                size, start = (data[at + 2] << 8 | data[at + 3]) if end - at >= 4 else end, at + 4
            elif size == 127:
                size, start = int.from_bytes(data[at + 2 : at + 10]) or end, at + 10
            if start + size > end:
                break
            self._take(data[at] & 15, data, start, start + size)
            at = start + size
        self._rest = data[at:] if at < end else b""
        if self.deliveries != before:
            self.crowd.delivered(self.deliveries - before)

    def _shaken(self, data: bytes) -> int:
        """Return where the answer to the handshake ends, or 0."""
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            return 0
        if b" 101 " not in data[:16]:
            self.crowd.lost(self, f"refused: {data[:300]!r}")
        self._open = True
        if not self.crowd.greeting:
            self._greeted()
        return end

    def _greeted(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def _take(self, opcode: int, data: bytes, start: int, stop: int) -> None:
        if opcode == TEXT:
            self._hear(data, start, stop)
        elif opcode == PING:
            self.transport.write(frame(data[start:stop], PONG))
        elif opcode == CLOSE:
            self.crowd.lost(self, f"closed: {data[start:stop]!r}")

    def _hear(self, data: bytes, start: int, stop: int) -> None:
        if self.on_frame is not None:
            self.on_frame(data[start:stop])
        if data.startswith(self.crowd.event, start):
            self.deliveries += 1
            if self.crowd.watch is not None:
                self.crowd.watch(self, data[start:stop])
        elif data.startswith(DONE, start):
            if self.answered is not None:
                self.answered(self)
        elif data.startswith(FAILED, start):
            self.crowd.lost(self, data[start:stop].decode())
        elif self.crowd.greeting and data.startswith(self.crowd.greeting, start):
            self._greeted()


class Crowd:
    """Open sockets that hear the same sort of event. A socket that ends before :meth:`leave` spoils the run."""

    def __init__(self, event: bytes = b"", greeting: bytes = b"") -> None:
        self.event = event
        self.greeting = greeting
        self.ears: list[Ear] = []
        self.total = 0
        self.watch: Callable[[Ear, bytes], None] | None = None
        self.wrong: list[str] = []
        self._wanted = 0
        self._reached: asyncio.Future[None] | None = None
        self._leaving = False

    async def join(
        self,
        port: int,
        requests: Sequence[bytes],
        *,
        on_frame: Sequence[Callable[[bytes], None]] = (),
        at_once: int = 50,
    ) -> None:
        """Open a socket per request, some at once, and return when all are greeted."""
        loop = asyncio.get_running_loop()
        for first in range(0, len(requests), at_once):
            ears = [Ear(self, request) for request in requests[first : first + at_once]]
            for ear, hear in zip(ears, on_frame[first:], strict=False):
                ear.on_frame = hear
            for ear in ears:
                await loop.create_connection(lambda ear=ear: ear, "127.0.0.1", port)
            self.ears += ears
            async with asyncio.timeout(EARS_OPEN_WITHIN):
                await asyncio.gather(*(ear.opened for ear in ears))
        self.check()

    def delivered(self, count: int) -> None:
        self.total += count
        if self._reached is not None and self.total >= self._wanted and not self._reached.done():
            self._reached.set_result(None)

    def lost(self, ear: Ear, why: str) -> None:
        if self._leaving:
            return
        self.wrong.append(why)
        for waiting in (ear.opened, self._reached):
            if waiting is not None and not waiting.done():
                waiting.set_exception(Lost(why))

    def forgive(self) -> None:
        """From now on sockets may end, or be refused something."""
        self._leaving = True

    def check(self) -> None:
        """Raise Lost if any socket ended or was refused something."""
        if self.wrong:
            raise Lost(f"{len(self.wrong)} sockets went wrong, first: {self.wrong[0]}")

    async def reached(self, total: int) -> None:
        """Return when so many deliveries have come to all sockets together."""
        self.check()
        if self.total < total:
            self._wanted, self._reached = total, asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(EARS_OPEN_WITHIN):
                    await self._reached
            except TimeoutError:
                raise Lost(f"{self.total} of {total} deliveries came") from None
        self.check()

    def leave(self) -> None:
        """Close all sockets."""
        self._leaving = True
        for ear in self.ears:
            ear.transport.abort()


def handshake(path: str, **headers: str) -> bytes:
    """Return the request that opens a websocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()
