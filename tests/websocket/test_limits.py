"""How much a person, an address and one socket may do, counted by all server processes together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.live.processes import Environment, SetUp, server, wait_until_ready
from tests.websocket.wire import WITHIN, Caller, Wire

PROCESSES = 3
WRITES = 200
PERSON = 3
ADDRESS = 6
UNKNOWN = 2
FRAMES = 20

_numbers = count(1)


@pytest.fixture(scope="module")
def environment(setup: SetUp) -> Environment:
    """Limits that a test can reach."""
    return {
        **setup.environment,
        "REDIS_PREFIX": f"{setup.environment.get('REDIS_PREFIX', 'parley')}-limits",
        "CHAT_LIMIT_WRITES": f"{WRITES}/hour",
        "CHAT_LIMIT_FRAMES": f"{FRAMES}/5 minutes",
        "CHAT_LIMIT_DIRECT": "1/hour",
        "CHAT_LIMIT_SOCKETS_PERSON": str(PERSON),
        "CHAT_LIMIT_SOCKETS_ADDRESS": str(ADDRESS),
        "CHAT_LIMIT_SOCKETS_UNKNOWN": str(UNKNOWN),
    }


@pytest.fixture(scope="module")
def processes(environment: Environment, tmp_path_factory: Any) -> Iterator[list[str]]:
    """The addresses of three processes that share a Redis; of one where there is none."""
    shared = bool(environment["REDIS_URL"])
    logs: Path = tmp_path_factory.mktemp("limits")
    with ExitStack() as running:
        started = [
            running.enter_context(server(environment, logs / f"server-{number}.log"))
            for number in range(PROCESSES if shared else 1)
        ]
        for one in started:
            wait_until_ready(one)
        yield [one.address for one in started]


@pytest.fixture
def dan(here: str) -> Caller:
    return Caller.registered(here, f"dan{next(_numbers)}")


@pytest.fixture
def home() -> str:
    """An address of this machine that no other test opens sockets from."""
    return f"127.0.1.{next(_numbers)}"


@asynccontextmanager
async def opened(
    at: str, token: str | None, home: str, path: str = "/ws/", **headers: str
) -> AsyncIterator[Wire]:
    """Open a socket from an address."""
    offered = [Subprotocol(one) for one in ("chat.v1", *([f"bearer.{token}"] if token else []))]
    async with connect(
        f"ws://{at}{path}",
        subprotocols=offered,
        additional_headers=headers,
        local_addr=(home, 0),
        proxy=None,
        open_timeout=WITHIN,
    ) as connection:
        yield Wire(connection)


async def first(wire: Wire) -> str:
    """Return what a socket is told first: hello, or the code of its refusal."""
    frame = await wire.hear(lambda frame: True)
    return str(frame["error"]["code"] if frame["type"] == "failed" else frame["type"])


async def is_turned_away(wire: Wire) -> None:
    assert await first(wire) == "rate_limited"
    assert wire.heard[0]["error"]["retry_after"] > 0
    assert await wire.closed() == 4429


# What a person writes.


async def writes_over_socket(at: str, person: Caller, room: str, home: str) -> int:
    """Send as much as one socket may, and return how many messages were taken."""
    async with opened(at, person.token, home) as wire:
        limits = (await wire.hear("hello"))["limits"]
        assert limits["writes"] == {"count": WRITES, "seconds": 3600}
        assert limits["frames"] == {"count": FRAMES, "seconds": 300}
        sent = [
            await wire.ask("message.send", room=room, text=f"{number}") for number in range(FRAMES)
        ]
    refused = [frame["error"] for frame in sent if frame["type"] == "failed"]
    assert {error["code"] for error in refused} <= {"rate_limited"}
    assert all(error["retry_after"] > 0 for error in refused)
    return len(sent) - len(refused)


def writes_over_rest(at: str, person: Caller, room: str, times: int) -> int:
    """Send so many messages and return how many were taken."""
    url = f"http://{at}/api/rooms/{room}/messages/"
    headers = {"Authorization": f"Bearer {person.token}"}
    with httpx2.Client(headers=headers, timeout=WITHIN) as client:
        answers = [client.post(url, json={"text": "hello"}) for _ in range(times)]
    refused = [one for one in answers if one.status_code != 201]
    assert {one.json()["code"] for one in refused} <= {"rate_limited"}
    assert all(int(one.headers["Retry-After"]) > 0 for one in refused)
    return len(answers) - len(refused)


def test_a_burst_over_both_doors_of_all_processes_keeps_to_one_quota(
    dan: Caller, processes: list[str], home: str
) -> None:
    room = dan.group()
    before = dan.call("GET", f"rooms/{room}/")["head"]

    async def sockets() -> int:
        return sum(
            await asyncio.gather(
                *(writes_over_socket(at, dan, room, home) for at in (processes * PERSON)[:PERSON])
            )
        )

    hands = 6
    each = WRITES * 3 // 2 // hands
    with ThreadPoolExecutor(hands) as threads:
        rest = [
            threads.submit(writes_over_rest, processes[n % len(processes)], dan, room, each)
            for n in range(hands)
        ]
        taken = asyncio.run(sockets()) + sum(one.result() for one in rest)
    assert WRITES * 0.9 <= taken <= WRITES * 1.1
    assert dan.call("GET", f"rooms/{room}/")["head"] == before + taken
    for at in processes:
        assert writes_over_rest(at, dan, room, WRITES // 10) <= WRITES * 0.03


# Frames of one socket.


@pytest.mark.parametrize("frame", ['{"type": "ping", "ref": 7}', "not json", '{"type": "nothing"}'])
def test_frames_beyond_the_limit_are_refused_and_a_flood_is_closed(
    dan: Caller, processes: list[str], home: str, frame: str
) -> None:
    async def scene() -> None:
        async with (
            opened(processes[0], dan.token, home) as other,
            opened(processes[0], dan.token, home) as wire,
        ):
            await other.hear("hello")
            await wire.hear("hello")
            for _ in range(FRAMES):
                await wire.send(frame)
            await wire.send('{"type": "ping", "ref": "late"}')
            late = await wire.hear(lambda frame: frame.get("ref") == "late")
            assert late["error"]["code"] == "rate_limited"
            assert 0 < late["error"]["retry_after"] <= 300
            before = [one for one in wire.heard if one.get("error", {}).get("retry_after")]
            assert before == [late]
            for _ in range(FRAMES):
                await wire.send(frame)
            assert await wire.closed() == 4429
            # Another socket of the same person is another matter, but not one that comes at once in its place.
            assert (await other.ask("ping"))["type"] == "done"
            async with opened(processes[0], dan.token, home) as again:
                assert (await again.hear("failed"))["error"]["code"] == "rate_limited"
                assert await again.closed() == 4429

    asyncio.run(scene())


# Open sockets.


def test_a_person_has_so_many_sockets_on_all_processes_together(
    dan: Caller, processes: list[str], home: str
) -> None:
    async def scene() -> None:
        async with AsyncExitStack() as held:
            wires = []
            for number in range(PERSON):
                at = processes[number % len(processes)]
                wires.append(await held.enter_async_context(opened(at, dan.token, home)))
                assert await first(wires[-1]) == "hello"
            for at in processes:
                async with opened(at, dan.token, home) as more:
                    await is_turned_away(more)
            await wires[0].connection.close()
            await until_one_opens(processes[-1], dan, home)

    asyncio.run(scene())


async def until_one_opens(at: str, person: Caller, home: str) -> None:
    """Try until there is a place again."""
    async with asyncio.timeout(WITHIN):
        while True:
            async with opened(at, person.token, home) as wire:
                if await first(wire) == "hello":
                    return
                await wire.closed()


def test_an_address_has_so_many_sockets_whoever_opens_them(
    ann: Caller, bob: Caller, dan: Caller, processes: list[str], home: str
) -> None:
    people = (ann, bob, dan)

    async def scene() -> None:
        async with AsyncExitStack() as held:
            for number in range(ADDRESS):
                at, who = processes[number % len(processes)], people[number % len(people)]
                # What a client says of its address is not looked at.
                claimed = {"X-Forwarded-For": f"203.0.113.{number}"}
                wire = await held.enter_async_context(opened(at, who.token, home, **claimed))
                assert await first(wire) == "hello"
            async with opened(processes[-1], ann.token, home) as more:
                await is_turned_away(more)
            elsewhere = f"127.0.2.{next(_numbers)}"
            async with opened(processes[-1], ann.token, elsewhere) as more:
                assert await first(more) == "hello"

    asyncio.run(scene())


def test_an_address_has_few_sockets_that_named_nobody(
    dan: Caller, processes: list[str], home: str
) -> None:
    async def scene() -> None:
        async with AsyncExitStack() as held:
            ways = [opened(processes[n % len(processes)], None, home) for n in range(UNKNOWN + 1)]
            silent = [await held.enter_async_context(way) for way in ways]
            told = {asyncio.create_task(first(wire)): wire for wire in silent}
            (refused, *_), _ = await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
            assert refused.result() == "rate_limited"
            assert await told.pop(refused).closed() == 4429
            # A place among those who said who they are is another.
            async with opened(processes[-1], dan.token, home) as named:
                assert await first(named) == "hello"
            # Whoever says it leaves their place to the next.
            task, wire = told.popitem()
            await wire.send({"type": "auth", "token": dan.token})
            assert await task == "hello"
            await until_a_silent_one_stays(processes[-1], dan, home)
            for task in told:
                task.cancel()

    asyncio.run(scene())


async def until_a_silent_one_stays(at: str, person: Caller, home: str) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            async with opened(at, None, home) as wire:
                await wire.send({"type": "auth", "token": person.token})
                if await first(wire) == "hello":
                    return


def test_what_a_killed_process_held_is_free_again(
    dan: Caller, environment: Environment, processes: list[str], home: str, tmp_path: Path
) -> None:
    if not os.environ.get("REDIS_URL"):
        pytest.skip("One process alone has nobody to leave its counts to.")

    async def scene() -> None:
        with server(environment, tmp_path / "killed.log") as doomed:
            wait_until_ready(doomed)
            async with AsyncExitStack() as held:
                for _ in range(PERSON):
                    wire = await held.enter_async_context(opened(doomed.address, dan.token, home))
                    assert await first(wire) == "hello"
                async with opened(processes[0], dan.token, home) as more:
                    await is_turned_away(more)
                doomed.process.kill()
                doomed.process.wait()
            await until_one_opens(processes[0], dan, home)

    asyncio.run(scene())


# New rooms.


def test_opening_direct_rooms_by_sockets_is_limited_but_not_those_that_are_there(
    ann: Caller, bob: Caller, dan: Caller, processes: list[str], home: str
) -> None:
    async def scene() -> None:
        for other, says in ((ann, "hello"), (bob, "rate_limited"), (ann, "hello")):
            path = f"/ws/direct/{other.id}/"
            async with opened(processes[-1], dan.token, home, path) as wire:
                assert await first(wire) == says

    asyncio.run(scene())
