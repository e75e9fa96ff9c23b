"""Keeps a database and puts it back, and the client that had heard what is lost thereby."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.live.processes import (
    Server,
    Unreachable,
    common_environment,
    execute,
    manage,
    private_database,
    says_ready,
    server,
    wait_until_ready,
)
from tests.live.services import Missing, await_answer, program
from tests.websocket.test_resume import resumed
from tests.websocket.wire import Caller, Frame, Wire, greeted

SERVICE_RESTART = 1012
_numbers = count(1)
KEPT = [f"kept {number}" for number in range(2)]
LOST = [f"lost {number}" for number in range(3)]
NEW = [f"new {number}" for number in range(6)]


@dataclass
class Scene:
    """A room of two, whose log the database forgets in part; and what bob's client holds of it."""

    ann: Caller
    bob: Caller
    room: str
    hello: Frame = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)

    @classmethod
    def at(cls, address: str) -> Scene:
        number = f"{os.getpid()}-{next(_numbers)}"
        ann, bob = (Caller.registered(address, f"{name}-{number}") for name in ("ann", "bob"))
        scene = cls(ann, bob, ann.group("private", bob))
        scene.says(KEPT)
        return scene

    def says(self, texts: list[str]) -> None:
        for text in texts:
            self.ann.says(self.room, text)

    def texts(self) -> list[str]:
        """Read the room's history."""
        found = self.bob.call("GET", f"rooms/{self.room}/messages/?limit=100")
        return [one["text"] for one in found["results"]]

    async def hears_what_will_be_lost(self, wire: Wire) -> None:
        """Have bob hear all that is said, and keep the cursor that it leads to."""
        self.hello = wire.heard[0]
        await asyncio.to_thread(self.says, LOST)
        last = await wire.hear(lambda frame: frame.get("message", {}).get("text") == LOST[-1])
        self.cursors = {**self.hello["heads"], self.room: last["seq"]}

    async def starts_afresh(self, address: str) -> None:
        """Come back with what was held, over REST and by socket; nothing that was said since is missing."""
        self.ann.address = self.bob.address = address
        told = await asyncio.to_thread(
            self.bob.call, "POST", "sync/", {"epoch": self.hello["epoch"], "cursors": self.cursors}
        )
        assert {one["reset"] for one in told["rooms"].values()} == {"epoch"}
        assert self.room in told["rooms"]
        async with greeted(address, self.bob.token) as wire:
            hello = wire.heard[0]
            assert hello["epoch"] == told["epoch"] != self.hello["epoch"]
            frames = await resumed(wire, self.hello["epoch"], self.cursors)
            resets = {frame["room"]: frame for frame in frames if frame["type"] == "reset"}
            assert {one["reason"] for one in resets.values()} == {"epoch"}
            assert await asyncio.to_thread(self.texts) == KEPT + NEW
            assert resets[self.room]["head"] == hello["heads"][self.room]
            await asyncio.to_thread(self.says, ["live again"])
            live = await wire.hear("message.sent")
            assert live["seq"] == resets[self.room]["head"] + 1
            assert live["message"]["text"] == "live again"


async def closed_to_come_back(wire: Wire) -> None:
    assert await wire.closed() == SERVICE_RESTART
    assert wire.heard[-1]["type"] == "leaving"


def set_back(url: str, room: str, events: int) -> None:
    """Take the last events of a room away, as a replica has them that lagged."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        key, mark = room.replace("-", ""), "?"
        connection: Any = sqlite3.connect(parts.path, isolation_level=None)
    else:
        key, mark = room, "%s"
        connection = psycopg.connect(url, autocommit=True)
    with closing(connection):
        for table in ("chat_event", "chat_message"):
            connection.execute(
                f"DELETE FROM {table} WHERE room_id = {mark}"
                f" AND seq > (SELECT head FROM chat_room WHERE id = {mark}) - {events}",
                [key, key],
            )
        connection.execute(f"UPDATE chat_room SET head = head - {events} WHERE id = {mark}", [key])


def tool(name: str) -> str:
    """Return a program of PostgreSQL; where it is missing, say that nothing was tested."""
    try:
        return program(name, *Path("/usr/lib/postgresql").glob("*/bin"))
    except Missing as reason:
        return not_tested(reason)


def not_tested(reason: Exception) -> Any:
    if os.environ.get("CI") == "true":
        pytest.fail(f"a restore cannot be tested: {reason}")
    pytest.skip(f"RESTORES WERE NOT TESTED: {reason}")


def run(name: str, *arguments: str) -> None:
    subprocess.run([tool(name), *arguments], check=True, capture_output=True, timeout=60)


def in_maintenance(url: str, statement: str) -> None:
    """Do something to a whole database, which must have no connection of its own meanwhile."""
    parts = urlsplit(url)
    names = {"name": parts.path.strip("/"), "kept": f"{parts.path.strip('/')}_kept"}
    text = SQL(statement).format(**{key: Identifier(name) for key, name in names.items()})
    execute(parts._replace(path="/postgres").geturl(), text)


def dumped(url: str, dump: Path) -> None:
    run("pg_dump", f"--dbname={url}", "--format=custom", f"--file={dump}")


def copied(url: str, dump: Path) -> None:
    """Keep a copy as a database: its tables have the same OIDs."""
    in_maintenance(url, "ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    with psycopg.connect(urlsplit(url)._replace(path="/postgres").geturl()) as connection:
        name = urlsplit(url).path.strip("/")
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(ended, [name])
    in_maintenance(url, "CREATE DATABASE {kept} TEMPLATE {name}")
    in_maintenance(url, "ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def put_into_an_empty_database(url: str, dump: Path) -> None:
    in_maintenance(url, "DROP DATABASE {name} WITH (FORCE)")
    in_maintenance(url, "CREATE DATABASE {name}")
    run("pg_restore", f"--dbname={url}", "--no-owner", str(dump))


def put_in_place_of_its_tables(url: str, dump: Path) -> None:
    run("pg_restore", f"--dbname={url}", "--no-owner", "--clean", "--if-exists", str(dump))


def put_in_place_of_the_database(url: str, dump: Path) -> None:
    in_maintenance(url, "DROP DATABASE {name} WITH (FORCE)")
    in_maintenance(url, "ALTER DATABASE {kept} RENAME TO {name}")


Step = Callable[[str, Path], None]
WAYS: dict[str, tuple[Step, Step]] = {
    "dump, into an empty database": (dumped, put_into_an_empty_database),
    "dump, over its tables": (dumped, put_in_place_of_its_tables),
    "copy of the database": (copied, put_in_place_of_the_database),
}


@contextmanager
def one_server(url: str, log: Path, *, migrated: bool = False) -> Iterator[Server]:
    """Run one process on a database, which is given its tables first unless it has them."""
    environment = {**common_environment(), "DATABASE_URL": url, "REDIS_URL": ""}
    if not migrated:
        manage(environment, "migrate", "--noinput")
    with server(environment, log) as one:
        wait_until_ready(one)
        yield one


@contextmanager
def a_database() -> Iterator[str]:
    """Lend a database of this test alone."""
    with ExitStack() as created:
        try:
            url = created.enter_context(private_database(os.environ["DATABASE_URL"]))
        except Unreachable as reason:
            not_tested(reason)
        yield url


async def ready_again(one: Server) -> None:
    await asyncio.to_thread(await_answer, "server", lambda: says_ready(one.port))
