"""A process that is told to stop tells everyone, answers what they asked, loses nothing, and is gone in time."""

from __future__ import annotations

import asyncio
import signal
import socket as sockets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed

from tests.live.processes import GONE_WITHIN, Server, SetUp, server, wait_until_ready
from tests.websocket.test_slow import TEXT, Stalled
from tests.websocket.wire import Caller, Wire, greeted

SERVICE_RESTART = 1012
SENDERS = 8
# Enough to be stuck with one who does not read, too little to be let go of for it.
STUCK_FRAMES = 120


@pytest.fixture(params=["1", "2"], ids=["one process", "two workers"])
def leaver(request: pytest.FixtureRequest, setup: SetUp, tmp_path: Path) -> Iterator[Server]:
    """A server beside those of the set-up, which the test stops."""
    environment = {**setup.environment, "WEB_CONCURRENCY": request.param}
    with server(environment, tmp_path / "leaver.log") as one:
        wait_until_ready(one)
        yield one


def told_to_stop(leaver: Server) -> None:
    leaver.process.send_signal(signal.SIGTERM)


async def gone(leaver: Server) -> int:
    """Return the exit code; a process that stays is an error."""
    return await asyncio.to_thread(leaver.process.wait, GONE_WITHIN)


@contextmanager
def nobody_else_writes(setup: SetUp) -> Iterator[None]:
    """Hold what every sender needs, until the block ends."""
    url = urlsplit(setup.environment["DATABASE_URL"])
    if url.scheme == "sqlite":
        with closing(sqlite3.connect(url.path, isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
            file.execute("ROLLBACK")
    else:
        with psycopg.connect(url.geturl()) as connection:
            connection.execute("LOCK TABLE chat_room, chat_message, chat_event IN SHARE MODE")
            yield
            connection.rollback()


def test_open_sockets_are_told_when_to_come_back(leaver: Server, ann: Caller, bob: Caller) -> None:
    async def scene() -> None:
        async with (
            greeted(leaver.address, ann.token) as one,
            greeted(leaver.address, bob.token) as other,
        ):
            told_to_stop(leaver)
            for wire in (one, other):
                assert await wire.closed() == SERVICE_RESTART
                assert wire.heard[-1]["type"] == "leaving"
                assert wire.heard[-1]["reconnect_in"] >= 1
            await gone(leaver)
            with pytest.raises(ConnectionRefusedError):
                await wire_to(leaver, ann)

    asyncio.run(scene())


async def wire_to(leaver: Server, person: Caller) -> None:
    async with greeted(leaver.address, person.token):
        pass


def test_a_command_under_way_is_answered_first(leaver: Server, setup: SetUp, ann: Caller) -> None:
    room = ann.group()

    async def scene() -> None:
        async with greeted(leaver.address, ann.token) as wire:
            with nobody_else_writes(setup):
                await wire.send({"type": "message.send", "ref": "s", "room": room, "text": "late"})
                await taken(wire)
                told_to_stop(leaver)
                await wire.hear("leaving")
            assert (await wire.hear("done"))["ref"] == "s"
            assert await wire.closed() == SERVICE_RESTART
            assert await gone(leaver) is not None

    asyncio.run(scene())
    texts = [one["text"] for one in ann.call("GET", f"rooms/{room}/messages/")["results"]]
    assert texts == ["late"]


async def taken(wire: Wire) -> None:
    """Return once the server has taken up what was sent: it reads no further before that."""
    await (await wire.connection.ping())


def test_what_was_acknowledged_under_load_is_there(leaver: Server, ann: Caller) -> None:
    room = ann.group()
    acknowledged: set[str] = set()
    ends: list[tuple[int | None, int]] = []
    enough = asyncio.Event()

    async def speak(wire: Wire) -> None:
        while True:
            id = str(uuid4())
            try:
                answer = await wire.ask("message.send", room=room, id=id, text=id)
            except ConnectionClosed as end:
                ends.append((end.rcvd and end.rcvd.code, len(wire.of("leaving"))))
                return
            if answer["type"] == "done":
                acknowledged.add(id)
            if len(acknowledged) > 10 * SENDERS:
                enough.set()

    async def sit_and_speak() -> None:
        async with greeted(leaver.address, ann.token) as wire:
            await speak(wire)

    async def scene() -> None:
        async with asyncio.TaskGroup() as speakers:
            for _ in range(SENDERS):
                speakers.create_task(sit_and_speak())
            await enough.wait()
            told_to_stop(leaver)
        await gone(leaver)

    asyncio.run(scene())
    assert ends == [(SERVICE_RESTART, 1)] * SENDERS
    assert acknowledged <= set(stored(ann, room))


def stored(person: Caller, room: str) -> Iterator[str]:
    """Yield the ids of a room's messages, asked of a process that stays."""
    before = ""
    while True:
        page = person.call("GET", f"rooms/{room}/messages/?limit=100{before}")
        yield from (one["id"] for one in page["results"])
        if not page["has_before"]:
            return
        before = f"&before={page['results'][0]['seq']}"


def test_one_who_does_not_read_and_a_request_without_an_end_hold_up_nothing(
    leaver: Server, ann: Caller, bob: Caller
) -> None:
    room = ann.group("private", bob)
    bob.address = leaver.address

    async def scene() -> None:
        async with Stalled(bob), greeted(leaver.address, ann.token) as mouth:
            for _ in range(STUCK_FRAMES):
                await mouth.ask("message.send", room=room, text=TEXT)
            with half_a_request(leaver):
                told_to_stop(leaver)
                assert await mouth.closed() == SERVICE_RESTART
                await gone(leaver)

    asyncio.run(scene())


@contextmanager
def half_a_request(leaver: Server) -> Iterator[None]:
    head = "POST /api/auth/token/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with sockets.create_connection(("127.0.0.1", leaver.port)) as raw:
        raw.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        yield


def test_a_thread_that_waits_for_the_database_holds_up_nothing(
    leaver: Server, setup: SetUp, ann: Caller
) -> None:
    """By SIGINT, which lets Python wait for its threads; as the first process of a container SIGTERM does so too."""
    room = ann.group()

    async def scene() -> None:
        async with greeted(leaver.address, ann.token) as wire:
            with nobody_else_writes(setup):
                await wire.send({"type": "message.send", "ref": "s", "room": room, "text": "late"})
                await taken(wire)
                leaver.process.send_signal(signal.SIGINT)
                assert await wire.closed() == SERVICE_RESTART
                await gone(leaver)
                assert not [one for one in wire.of("done") if one.get("ref") == "s"]

    asyncio.run(scene())
    assert not ann.call("GET", f"rooms/{room}/messages/")["results"]
