"""Three faults on every run: a process is killed, Redis comes back empty, a reader stalls; ``make faults`` has all."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest

from tests.faults.fault import Fault, act
from tests.faults.of_clients import StalledBriefly
from tests.faults.of_processes import KilledOnce
from tests.faults.of_redis import RestartedSoon
from tests.faults.server import Cluster, cluster
from tests.live.services import Missing, await_answer
from tests.websocket.wire import Caller, greeted

REDIS = "no events come from Redis: "
POSTGRESQL = "the database does not answer: "

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.slow]


@pytest.fixture(scope="module")
def service() -> Iterator[Cluster]:
    """PostgreSQL, Redis and two servers of this test alone."""
    with ExitStack() as running:
        try:
            started = running.enter_context(cluster())
        except Missing as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(f"faults cannot be done: {reason}")
            pytest.skip(f"FAULTS WERE NOT TESTED: {reason}")
        yield started


@pytest.mark.parametrize("fault", [KilledOnce, RestartedSoon, StalledBriefly])
def test_the_guarantees_hold_through(
    fault: type[Fault], service: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = asyncio.run(act(fault(), service))
    with capsys.disabled():
        print("\n" + " | ".join(verdict.cells()), *verdict.notes)
    assert verdict.wrong == {}


def test_outage_is_logged_in_one_line(service: Cluster) -> None:
    """Redis and then PostgreSQL are away for some seconds, while requests and sockets go on."""
    one = service.servers[0]
    # What was said in the minute before would not be said again.
    one.restart()
    ann = Caller.registered(one.address, "outage")
    room = ann.group()
    asked: list[int] = []

    def ask() -> bool:
        headers = {"Authorization": f"Bearer {ann.token}"}
        url = f"http://{one.address}/api/rooms/{room}/"
        asked.append(httpx2.get(url, headers=headers, timeout=30).status_code)
        return asked[-1] == 503

    async def play() -> None:
        async with greeted(one.address, ann.token):
            service.redis.kill()
            await asyncio.to_thread(ann.says, room, "without Redis")
            # Twice the second after which channels_redis tries again.
            await asyncio.to_thread(await_answer, "the log", lambda: REDIS in since())
            await asyncio.sleep(2.5)
            await asyncio.to_thread(service.redis.start)
            await asyncio.to_thread(service.postgres.kill)
            await asyncio.to_thread(await_answer, "an outage", ask)
            for _ in range(2):
                await asyncio.to_thread(ask)
            await asyncio.to_thread(service.postgres.start)

    began = len(one.log.read_text())

    def since() -> str:
        return one.log.read_text()[began:]

    asyncio.run(play())
    assert asked.count(503) >= 3
    lines = [json.loads(line) for line in since().splitlines() if line.startswith("{")]
    assert [line for line in lines if "traceback" in line] == []
    for message in (REDIS, POSTGRESQL):
        assert len([line for line in lines if line["message"].startswith(message)]) == 1
    told = [line for line in lines if line["logger"] == "psycopg.pool"]
    assert len({line["message"].partition(":")[0] for line in told}) == len(told)
