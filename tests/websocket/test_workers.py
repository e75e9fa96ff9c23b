"""Server processes that another one started: they end with it, and its end is graceful."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.live.processes import (
    GONE_WITHIN,
    Environment,
    Server,
    SetUp,
    begin,
    free_port,
    stop,
    wait_until_ready,
)
from tests.websocket.wire import Caller, greeted

LEAVING = 1012
# Enough that each of two workers has some.
SOCKETS = 10


@contextmanager
def running(environment: Environment, log: Path, port: int, *command: str) -> Iterator[Server]:
    """Run a server command until the block ends, and wait until it serves."""
    one = begin(environment, log, port, *command)
    try:
        wait_until_ready(one)
        yield one
    finally:
        stop(one)


def ends_of_sockets(one: Server, person: Caller, end: Callable[[], None]) -> list[tuple[str, int]]:
    """Open sockets, end the server, and return the last frame and the close code of each."""

    async def listen(ready: asyncio.Semaphore) -> tuple[str, int]:
        async with greeted(one.address, person.token) as wire:
            ready.release()
            code = await wire.closed()
            return str(wire.heard[-1]["type"]), code

    async def scene() -> list[tuple[str, int]]:
        ready = asyncio.Semaphore(0)
        ears = [asyncio.create_task(listen(ready)) for _ in range(SOCKETS)]
        for _ in ears:
            await ready.acquire()
        end()
        return await asyncio.gather(*ears)

    return asyncio.run(scene())


# Without Redis the service starts one process, which has no workers.
@pytest.mark.redis
def test_workers_end_gracefully_when_the_first_process_is_killed(
    setup: SetUp, ann: Caller, tmp_path: Path
) -> None:
    environment = {**setup.environment, "WEB_CONCURRENCY": "2"}
    port, module = free_port(), ("-m", "project.server")
    with running(environment, tmp_path / "killed.log", port, *module) as one:
        ends = ends_of_sockets(one, ann, one.process.kill)
    assert ends == [("leaving", LEAVING)] * SOCKETS
    await_free(port)
    with running(environment, tmp_path / "new.log", port, *module) as one:
        connection = HTTPConnection("127.0.0.1", port, timeout=GONE_WITHIN)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()


def test_runserver_with_its_reloader_leaves_gracefully(
    setup: SetUp, ann: Caller, tmp_path: Path
) -> None:
    port = free_port()
    command = ("manage.py", "runserver", str(port))
    # The server runs in a child of this process, which alone is told to stop.
    with running(setup.environment, tmp_path / "runserver.log", port, *command) as one:
        ends = ends_of_sockets(one, ann, one.process.terminate)
        one.process.wait(GONE_WITHIN)
    assert ends == [("leaving", LEAVING)] * SOCKETS
    assert "Traceback" not in one.log.read_text()


def test_runserver_that_is_told_to_stop_twice_leaves_gracefully(
    setup: SetUp, ann: Caller, tmp_path: Path
) -> None:
    """A service manager tells each process of the group."""
    port = free_port()
    command = ("manage.py", "runserver", str(port))

    with running(setup.environment, tmp_path / "runserver.log", port, *command) as one:

        def tell_all() -> None:
            for pid in (*children(one.process.pid), one.process.pid):
                os.kill(pid, signal.SIGTERM)

        ends = ends_of_sockets(one, ann, tell_all)
        one.process.wait(GONE_WITHIN)
    assert ends == [("leaving", LEAVING)] * SOCKETS


def await_free(port: int) -> None:
    """Return once nobody listens on a port."""
    deadline = monotonic() + GONE_WITHIN
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        assert monotonic() < deadline, "The workers still listen."
        sleep(0.05)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=True)
    return [int(one) for one in found.stdout.split()]
