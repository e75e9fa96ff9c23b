"""Attacks by anonymous HTTP clients, each over several connections, and from an address that is no proxy's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from multiprocessing.synchronize import Event
from threading import Thread
from time import monotonic

from tests.faults.hostile import MEASURED, Attacked
from tests.faults.server import Server
from tests.faults.stage import Stage

# Not 127.0.0.1, which uvicorn trusts as a proxy.
HOSTILE = "127.0.0.2"
CONNECTIONS = 8
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
GIB = 1_073_741_824
HALF_OPEN = 400
GONE_WITHIN = 30.0


def opened(port: int) -> socket.socket:
    """Return a new connection from the attackers' address."""
    return socket.create_connection(("127.0.0.1", port), 10, source_address=(HOSTILE, 0))


def keep_sending(port: int, head: bytes, endless: bytes, ended: Event) -> None:
    """Write bytes without reading anything, over a new connection whenever the server ends the present one."""
    while not ended.is_set():
        try:
            with opened(port) as wire:
                wire.settimeout(1)
                wire.sendall(head)
                while not ended.is_set():
                    wire.send(endless)
        except OSError:
            # A server that is closing its connections or has left: try again without spinning.
            ended.wait(0.01)


def from_many(attack: Callable[[], None], began: Event, ended: Event) -> None:
    """Run an attack over CONNECTIONS connections at once until it is to end."""
    threads = [Thread(target=attack, daemon=True) for _ in range(CONNECTIONS)]
    for one in threads:
        one.start()
    began.set()
    ended.wait()


def flood_heads(port: int, began: Event, ended: Event) -> None:
    lines = b"a:b\r\n" * 10_000
    from_many(lambda: keep_sending(port, REQUEST, lines, ended), began, ended)


def flood_pipelined(port: int, began: Event, ended: Event) -> None:
    requests = (REQUEST + b"\r\n") * 1_000
    from_many(lambda: keep_sending(port, b"", requests, ended), began, ended)


def send_huge_bodies(port: int, began: Event, ended: Event) -> None:
    """Half of the connections declare a body of 1 GiB, the other half send it in chunks without an end."""
    heads = [
        b"POST /api/sync/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % GIB,
        b"POST /api/sync/ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ]
    pieces = [b"x" * 65_536, b"10000\r\n" + b"x" * 65_536 + b"\r\n"]
    turns = iter(range(CONNECTIONS))

    def attack() -> None:
        which = next(turns) % 2
        keep_sending(port, heads[which], pieces[which], ended)

    from_many(attack, began, ended)


def half_open(port: int) -> list[socket.socket]:
    """Open connections that say nothing, half a head or half a body."""
    said = [b"", REQUEST, b"POST /api/sync/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"]
    held = []
    for number in range(HALF_OPEN):
        wire = opened(port)
        wire.sendall(said[number % len(said)])
        held.append(wire)
    return held


def hold_half_open(port: int, began: Event, ended: Event) -> None:
    held = half_open(port)
    began.set()
    ended.wait()
    for wire in held:
        wire.close()


class FloodedHeads(Attacked):
    """Request heads that never end."""

    name = "heads"
    says = f"request heads without end over {CONNECTIONS} connections, then SIGTERM"
    attack = flood_heads


class FloodedPipeline(Attacked):
    """Requests one after the other, whose answers nobody reads."""

    name = "pipeline"
    says = (
        f"pipelined requests without reading the answers, {CONNECTIONS} connections, then SIGTERM"
    )
    attack = flood_pipelined


class HugeBodies(Attacked):
    """Bodies of 1 GiB, declared or in chunks."""

    name = "bodies"
    says = f"bodies of 1 GiB, declared and chunked, over {CONNECTIONS} connections, then SIGTERM"
    attack = send_huge_bodies


class HalfOpen(Attacked):
    """Connections that never finish a request."""

    name = "half-open"
    says = f"{HALF_OPEN} connections that are silent or stop within a head or a body, then SIGTERM"
    attack = hold_half_open

    async def observe(self, stage: Stage, server: Server) -> None:
        """Wait until the server has closed them all, and open as many for the SIGTERM."""
        most, began = server.descriptors, monotonic()
        self.effective = most > HALF_OPEN
        # Connections to the database come and go as well.
        few = most - HALF_OPEN + 20
        while server.descriptors > few:
            if monotonic() - began > GONE_WITHIN:
                stage.wrong.append(f"{server.descriptors - few} connections too many were open")
                break
            await asyncio.sleep(0.5)
        stage.notes.append(f"closed after {MEASURED + monotonic() - began:.0f} s")
        self.more = await asyncio.to_thread(half_open, server.port)

    async def heal(self, stage: Stage) -> None:
        for wire in self.more:
            wire.close()
        await super().heal(stage)
