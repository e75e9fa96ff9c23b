"""A small TCP proxy that fails as networks do: it delays, swallows, cuts off, and forgets one direction."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from types import TracebackType

CHUNK = 65_536
NO_LINGERING = struct.pack("ii", 1, 0)


class Proxy:
    """Leads connections to one address on, until told otherwise.

    ``to_server`` and ``to_client`` say whether bytes pass; what does not pass waits where it is, as on a
    network that lost its route. ``delay`` is in seconds, for each chunk.
    """

    def __init__(self, target: str) -> None:
        self.host, _, port = target.rpartition(":")
        self.target_port = int(port)
        self.to_server = asyncio.Event()
        self.to_client = asyncio.Event()
        self.to_server.set()
        self.to_client.set()
        self.delay = 0.0
        self._server: asyncio.Server | None = None
        self._links: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    @property
    def address(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def open(self) -> int:
        """Connections that stand now."""
        return len(self._links)

    def ends(self) -> list[int]:
        """The ports from which the proxy is connected to its target."""
        return [onward.get_extra_info("sockname")[1] for _, onward in self._links]

    def blackhole(self, *, to_server: bool = True, to_client: bool = True) -> None:
        """Let nothing pass any more, in both directions or one; nobody is told."""
        if to_server:
            self.to_server.clear()
        if to_client:
            self.to_client.clear()

    def pass_again(self) -> None:
        self.to_server.set()
        self.to_client.set()

    def reset(self) -> int:
        """Cut all connections with a reset, and return how many there were."""
        links = list(self._links)
        for link in links:
            for writer in link:
                end = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
                writer.transport.abort()
        return len(links)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward = await asyncio.open_connection(self.host, self.target_port)
        except OSError:
            writer.transport.abort()
            return
        link = (writer, onward[1])
        self._links.add(link)
        pumps = [
            asyncio.create_task(self._pump(reader, onward[1], self.to_server)),
            asyncio.create_task(self._pump(onward[0], writer, self.to_client)),
        ]
        self._pumps.update(pumps)
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self._pumps.difference_update(pumps)
        self._links.discard(link)
        for one in link:
            one.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing: asyncio.Event
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await passing.wait()
                writer.write(chunk)
                await writer.drain()
