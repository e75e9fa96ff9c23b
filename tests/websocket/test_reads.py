"""Reads of a person count together, over REST and by `resume`, and `hello` says how many are allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.live.processes import SetUp, server, wait_until_ready
from tests.websocket.wire import WITHIN, Caller, socket

READS = 20


@pytest.fixture(scope="module")
def address(setup: SetUp, tmp_path_factory: Any) -> Iterator[str]:
    """The address of a process with few reads for each person."""
    prefix = f"{setup.environment.get('REDIS_PREFIX', 'parley')}-reads"
    environment = {
        **setup.environment,
        "REDIS_PREFIX": prefix,
        "CHAT_LIMIT_READS": f"{READS}/hour",
    }
    log: Path = tmp_path_factory.mktemp("reads") / "server.log"
    with server(environment, log) as one:
        wait_until_ready(one)
        yield one.address


def test_reads_over_rest_and_by_resume_share_a_limit(here: str, address: str) -> None:
    dan = Caller.registered(here, "dan-who-reads")
    headers = {"Authorization": f"Bearer {dan.token}"}

    def read() -> httpx2.Response:
        return httpx2.get(f"http://{address}/api/rooms/", headers=headers, timeout=WITHIN)

    async def scene() -> None:
        async with socket(address, dan.token) as wire:
            hello = await wire.hear("hello")
            assert hello["limits"]["reads"] == {"count": READS, "seconds": 3600}
            for _ in range(READS // 2):
                assert (await wire.ask("resume", epoch=hello["epoch"], cursors={}))[
                    "type"
                ] == "done"
            taken = 0
            while (answer := await asyncio.to_thread(read)).status_code == 200:
                taken += 1
            assert taken == READS - READS // 2
            assert answer.json()["code"] == "rate_limited"
            refused = await wire.ask("resume", epoch=hello["epoch"], cursors={})
            assert refused["error"]["code"] == "rate_limited"
            assert refused["error"]["retry_after"] > 0
            # Live events and other commands go on.
            assert (await wire.ask("ping"))["type"] == "done"

    asyncio.run(scene())
