"""Restored or failed over while clients are connected: every client is told to start afresh, and misses nothing."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.live.processes import (
    Server,
    SetUp,
    Unreachable,
    common_environment,
    execute,
    manage,
    private_database,
    says_ready,
    server,
    wait_until_ready,
)
from tests.live.services import Missing, Postgres, Standby, await_answer, program
from tests.websocket.test_resume import resumed
from tests.websocket.wire import Caller, Frame, Wire, greeted

SERVICE_RESTART = 1012
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
    def at(cls, address: str, names: str) -> Scene:
        ann, bob = (Caller.registered(address, f"{name}{names}") for name in ("ann", "bob"))
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


# In both set-ups: a log that was set back, and an operator who says so.


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


@pytest.mark.parametrize("renewed", [True, False], ids=["renewed", "noticed"])
def test_log_that_was_set_back_loses_nothing(setup: SetUp, renewed: bool) -> None:
    scene = Scene.at(setup.addresses[-1], f"-{os.getpid()}-{renewed}")
    url = setup.environment["DATABASE_URL"]

    async def play() -> None:
        async with greeted(scene.bob.address, scene.bob.token) as wire:
            await scene.hears_what_will_be_lost(wire)
            await asyncio.to_thread(set_back, url, scene.room, len(LOST))
            if renewed:
                await asyncio.to_thread(manage, setup.environment, "chat_epoch", "--renew")
                await asyncio.to_thread(scene.says, NEW)
                await closed_to_come_back(wire)
            else:
                await asyncio.to_thread(scene.says, NEW[:1])
                await closed_to_come_back(wire)
                await asyncio.to_thread(scene.says, NEW[1:])
        await scene.starts_afresh(setup.addresses[0])

    asyncio.run(play())


# A dump, restored.


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


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_restored_under_a_running_process(way: str, tmp_path: Path) -> None:
    keep, put_back = WAYS[way]
    tool("pg_restore")

    async def play(url: str, one: Server) -> None:
        scene = Scene.at(one.address, "")
        await asyncio.to_thread(keep, url, tmp_path / "dump")
        await ready_again(one)
        async with greeted(one.address, scene.bob.token) as wire:
            await scene.hears_what_will_be_lost(wire)
            await asyncio.to_thread(put_back, url, tmp_path / "dump")
            await ready_again(one)
            await asyncio.to_thread(scene.says, NEW)
            await closed_to_come_back(wire)
        await scene.starts_afresh(one.address)

    with a_database() as url, one_server(url, tmp_path / "server.log") as one:
        asyncio.run(play(url, one))


@pytest.mark.postgres
@pytest.mark.slow
def test_restored_into_a_new_database_that_the_service_is_pointed_to(tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    tool("pg_restore")

    async def hear(one: Server, url: str) -> Scene:
        scene = Scene.at(one.address, "")
        dumped(url, dump)
        async with greeted(one.address, scene.bob.token) as wire:
            await scene.hears_what_will_be_lost(wire)
        return scene

    with a_database() as old, a_database() as new:
        with one_server(old, tmp_path / "old.log") as one:
            scene = asyncio.run(hear(one, old))
        put_into_an_empty_database(new, dump)
        with one_server(new, tmp_path / "new.log", migrated=True) as one:
            scene.ann.address = one.address
            scene.says(NEW)
            asyncio.run(scene.starts_afresh(one.address))


# Another server takes over.


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[Postgres]:
    """A cluster of this test alone."""
    with ExitStack() as running:
        try:
            yield running.enter_context(Postgres(tmp_path))
        except Missing as reason:
            not_tested(reason)


@pytest.mark.postgres
@pytest.mark.slow
def test_failed_over_to_a_replica_that_lagged(primary: Postgres, tmp_path: Path) -> None:
    standby = Standby(tmp_path, primary)

    def replicate() -> None:
        """Have it follow as far as the log goes now, and no further."""
        standby.start()
        with psycopg.connect(primary.url) as connection:
            (at,) = connection.execute("SELECT pg_current_wal_lsn()").fetchone() or ("",)

        def caught_up() -> bool:
            with psycopg.connect(standby.url) as connection:
                asked = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
                return bool((connection.execute(asked, [at]).fetchone() or (False,))[0])

        await_answer("the standby", caught_up)
        standby.stop()

    async def play(one: Server) -> None:
        scene = Scene.at(one.address, "")
        await asyncio.to_thread(replicate)
        async with greeted(one.address, scene.bob.token) as wire:
            await scene.hears_what_will_be_lost(wire)
            await asyncio.to_thread(primary.kill)
            await asyncio.to_thread(standby.take_the_place)
            # In recovery it tells no place in a log, and its sockets wait.
            asked = {"epoch": scene.hello["epoch"], "cursors": scene.cursors}
            assert await asyncio.to_thread(status_of_sync, scene.bob, asked) == 503
            assert "leaving" not in [frame["type"] for frame in wire.heard]
            await asyncio.to_thread(standby.promote)
            await ready_again(one)
            await asyncio.to_thread(scene.says, NEW)
            await closed_to_come_back(wire)
        await scene.starts_afresh(one.address)

    try:
        with one_server(primary.url, tmp_path / "server.log") as one:
            asyncio.run(play(one))
    finally:
        standby.end()


def status_of_sync(person: Caller, body: Frame) -> int:
    url, headers = f"http://{person.address}/api/sync/", {"Authorization": f"Bearer {person.token}"}
    return httpx2.post(url, json=body, headers=headers, timeout=30).status_code


@pytest.mark.postgres
@pytest.mark.slow
def test_crash_is_no_other_epoch(primary: Postgres, tmp_path: Path) -> None:
    async def play(one: Server) -> None:
        scene = Scene.at(one.address, "")
        async with greeted(one.address, scene.bob.token) as wire:
            hello = wire.heard[0]
            await asyncio.to_thread(primary.kill)
            await asyncio.to_thread(primary.start)
            await ready_again(one)
            await asyncio.to_thread(scene.says, ["after the crash"])
            await wire.hear("message.sent")
            done = await wire.ask("resume", epoch=hello["epoch"], cursors=hello["heads"])
            assert done["type"] == "done"
            assert {frame["type"] for frame in wire.heard}.isdisjoint({"leaving", "reset"})

    with one_server(primary.url, tmp_path / "server.log") as one:
        asyncio.run(play(one))


# SQLite: a file.


def test_file_put_in_place_under_a_running_process(tmp_path: Path) -> None:
    file, backup = tmp_path / "parley.sqlite3", tmp_path / "backup.sqlite3"

    def keep() -> None:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)

    def put_back() -> None:
        for rest in ("-wal", "-shm"):
            Path(f"{file}{rest}").unlink(missing_ok=True)
        backup.replace(file)

    async def play(one: Server) -> None:
        scene = Scene.at(one.address, "")
        await asyncio.to_thread(keep)
        async with greeted(one.address, scene.bob.token) as wire:
            await scene.hears_what_will_be_lost(wire)
            await asyncio.to_thread(put_back)
            await asyncio.to_thread(scene.says, NEW)
            await closed_to_come_back(wire)
        await scene.starts_afresh(one.address)

    with one_server(f"sqlite:///{file}", tmp_path / "server.log") as one:
        asyncio.run(play(one))
