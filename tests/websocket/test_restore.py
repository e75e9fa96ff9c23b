"""Restored or failed over while clients are connected: every client is told to start afresh, and misses nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.live.processes import Server, SetUp, manage
from tests.live.services import Missing, Postgres, Standby, await_answer
from tests.websocket.restoring import (
    LOST,
    NEW,
    WAYS,
    Scene,
    a_database,
    closed_to_come_back,
    dumped,
    not_tested,
    one_server,
    put_into_an_empty_database,
    ready_again,
    set_back,
    tool,
)
from tests.websocket.wire import Caller, Frame, greeted


@pytest.mark.parametrize("renewed", [True, False], ids=["renewed", "noticed"])
def test_log_that_was_set_back_loses_nothing(setup: SetUp, renewed: bool) -> None:
    scene = Scene.at(setup.addresses[-1])
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


Standing = tuple[str, Server]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A database, and a process that serves on it throughout."""
    tool("pg_restore")
    log = tmp_path_factory.mktemp("restore") / "server.log"
    with a_database() as url, one_server(url, log) as one:
        yield url, one


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_restored_under_a_running_process(way: str, standing: Standing, tmp_path: Path) -> None:
    keep, put_back = WAYS[way]
    url, one = standing

    async def play() -> None:
        scene = Scene.at(one.address)
        await asyncio.to_thread(keep, url, tmp_path / "dump")
        await ready_again(one)
        async with greeted(one.address, scene.bob.token) as wire:
            await scene.hears_what_will_be_lost(wire)
            await asyncio.to_thread(put_back, url, tmp_path / "dump")
            await ready_again(one)
            await asyncio.to_thread(scene.says, NEW)
            await closed_to_come_back(wire)
        await scene.starts_afresh(one.address)

    asyncio.run(play())


@pytest.mark.postgres
@pytest.mark.slow
def test_restored_into_a_new_database_that_the_service_is_pointed_to(
    standing: Standing, tmp_path: Path
) -> None:
    old, before = standing

    async def hear() -> Scene:
        scene = Scene.at(before.address)
        dumped(old, tmp_path / "dump")
        async with greeted(before.address, scene.bob.token) as wire:
            await scene.hears_what_will_be_lost(wire)
        return scene

    scene = asyncio.run(hear())
    with a_database() as new:
        put_into_an_empty_database(new, tmp_path / "dump")
        with one_server(new, tmp_path / "server.log", migrated=True) as one:
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
        scene = Scene.at(one.address)
        await asyncio.to_thread(replicate)
        async with greeted(one.address, scene.bob.token) as wire:
            await scene.hears_what_will_be_lost(wire)
            await asyncio.to_thread(primary.kill)
            await asyncio.to_thread(standby.take_the_place)
            # In recovery it tells no place in a log, and its sockets wait.
            asked = {"epoch": scene.hello["epoch"], "cursors": scene.cursors}
            assert await asyncio.to_thread(status_of, scene.bob, "sync/", asked) == 503
            path = f"rooms/{scene.room}/messages/"
            assert await asyncio.to_thread(status_of, scene.bob, path, {"text": "lost"}) == 503
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


def status_of(person: Caller, path: str, body: Frame) -> int:
    url, headers = (
        f"http://{person.address}/api/{path}",
        {"Authorization": f"Bearer {person.token}"},
    )
    return httpx2.post(url, json=body, headers=headers, timeout=30).status_code


@pytest.mark.postgres
@pytest.mark.slow
def test_crash_is_no_other_epoch(primary: Postgres, tmp_path: Path) -> None:
    async def play(one: Server) -> None:
        scene = Scene.at(one.address)
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
        scene = Scene.at(one.address)
        await asyncio.to_thread(keep)
        async with greeted(one.address, scene.bob.token) as wire:
            await scene.hears_what_will_be_lost(wire)
            await asyncio.to_thread(put_back)
            await asyncio.to_thread(scene.says, NEW)
            await closed_to_come_back(wire)
        await scene.starts_afresh(one.address)

    with one_server(f"sqlite:///{file}", tmp_path / "server.log") as one:
        asyncio.run(play(one))
