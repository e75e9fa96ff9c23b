"""Thousands of clients who lose their connection at one moment and all come back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
from time import monotonic
from typing import ClassVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tests.faults.client import Client
from tests.faults.fault import Fault
from tests.faults.stage import Stage

BACK_WITHIN = 60.0
KIB_A_SOCKET = 64
# Connections that are being opened at one time by the whole herd, when it first gathers.
GATHERING = 50


class Beast:
    """One of the herd: a socket that listens, and comes back with a jittered back-off."""

    def __init__(self, token: str, addresses: list[str]) -> None:
        self.token = token
        self.addresses = addresses
        self.at = 0
        self.here = False
        self.refusals = 0

    async def live(self, gate: asyncio.Semaphore) -> None:
        tries = 0
        while True:
            wire = None
            try:
                async with gate if not tries else contextlib.nullcontext():
                    wire = await self._open()
                tries, self.here = 1, True
                while True:
                    await wire.recv()
            except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed, EOFError):
                if not self.here:
                    self.refusals += 1
                self.here, self.at, tries = False, self.at + 1, tries + 1
            finally:
                if wire is not None:
                    wire.transport.abort()
            await asyncio.sleep(random.uniform(0.5, min(10.0, 3.0 * 2**tries)))

    async def _open(self) -> ClientConnection:
        address = self.addresses[self.at % len(self.addresses)]
        spoken = [Subprotocol("chat.v1"), Subprotocol(f"bearer.{self.token}")]
        wire = await connect(
            f"ws://{address}/ws/",
            subprotocols=spoken,
            compression=None,
            ping_interval=None,
            open_timeout=30,
            close_timeout=1,
            proxy=None,
        )
        async with asyncio.timeout(30):
            await wire.recv()
        return wire


class Thundering(Fault):
    """One of two processes is killed, and all its sockets come to the other."""

    name = "F16"
    seconds = 0.0
    herd: ClassVar[int] = int(os.environ.get("HERD", "5000"))
    says = f"kill -9 under {herd:,} sockets, which all come back"
    each: ClassVar[int] = 10
    people = 5

    async def inject(self, stage: Stage) -> None:
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        tokens = await self._tokens(stage)
        gate, addresses = asyncio.Semaphore(GATHERING), stage.cluster.addresses
        base = [server.resident for server in stage.cluster.servers]
        self.beasts = [
            Beast(tokens[number // self.each], addresses[number % 2 :] + addresses[: number % 2])
            for number in range(self.herd)
        ]
        self.lives = [asyncio.create_task(one.live(gate)) for one in self.beasts]
        try:
            await self._all_here(120)
            held = sum(s.resident for s in stage.cluster.servers) - sum(base)
            self._measure(stage, held)
            await self._strike(stage)
        finally:
            for life in self.lives:
                life.cancel()
            await asyncio.gather(*self.lives, return_exceptions=True)

    def _measure(self, stage: Stage, held: int) -> None:
        each = held / 1024 / self.herd
        stage.notes.append(f"{each:.0f} KiB a socket")
        if each > KIB_A_SOCKET:
            stage.wrong.append(f"a socket costs {each:.0f} KiB")

    async def _strike(self, stage: Stage) -> None:
        server = stage.cluster.servers[0]
        held = sum(one.here for one in self.beasts)
        self.effective = held == self.herd
        for one in self.beasts:
            one.refusals = 0
        server.kill()
        began = monotonic()
        await asyncio.sleep(0.5)
        restarting = asyncio.create_task(asyncio.to_thread(server.restart))
        back = await self._all_here(BACK_WITHIN)
        await restarting
        tries = sum(one.refusals for one in self.beasts)
        stage.notes.append(f"all back after {monotonic() - began:.1f} s, {tries} tries in vain")
        if not back:
            away = sum(not one.here for one in self.beasts)
            stage.wrong.append(f"{away} of {self.herd} were not back after {BACK_WITHIN:.0f} s")

    async def _all_here(self, within: float) -> bool:
        deadline = monotonic() + within
        while monotonic() < deadline:
            if all(one.here for one in self.beasts):
                return True
            await asyncio.sleep(0.1)
        return False

    async def _tokens(self, stage: Stage) -> list[str]:
        """Sign up so many people that each has but a few sockets."""
        some = [
            Client(f"{stage.clients[0].name}-herd{number}", turned, stage.http, stage.recorder)
            for number in range(self.herd // self.each)
            for turned in [stage.cluster.addresses[number % 2 :]]
        ]
        for start in range(0, len(some), 20):
            await asyncio.gather(*(one.sign_up() for one in some[start : start + 20]))
        return [one.token for one in some]
