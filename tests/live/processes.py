"""Starts what a test needs to be real, each thing private to the run, and leaves nothing behind."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

ROOT = Path(__file__).parents[2]
READY_WITHIN = 60.0
GONE_WITHIN = 15.0
REACHED_WITHIN = 3

Environment = dict[str, str]


class Unreachable(Exception):
    """A service that the set-up needs does not answer; nothing was started."""


class BadEnding(Exception):
    """A process that did not start, or did not leave, as it should."""


@dataclass(frozen=True)
class Server:
    """One server process, listening on a port of its own."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True)
class SetUp:
    """A running service: its processes, and the environment that more of them need."""

    name: str
    environment: Environment
    servers: Sequence[Server]

    @property
    def addresses(self) -> list[str]:
        return [server.address for server in self.servers]

    def logs(self) -> str:
        """Return all that the processes have written so far."""
        return "\n".join(server.log.read_text(errors="replace") for server in self.servers)


@contextmanager
def embedded(directory: Path) -> Iterator[SetUp]:
    """Run one process on SQLite and the in-memory layer."""
    environment = {
        **common_environment(),
        "DATABASE_URL": f"sqlite:///{directory / 'parley.sqlite3'}",
        "REDIS_URL": "",
    }
    with serving("embedded", environment, directory, processes=1) as setup:
        yield setup


@contextmanager
def servers(directory: Path, database_url: str, redis_url: str) -> Iterator[SetUp]:
    """Run two processes on a database and a Redis prefix of their own."""
    prefix = f"parley-test-{private_name()}"
    with private_database(database_url) as own_database, private_prefix(redis_url, prefix):
        environment = {
            **common_environment(),
            "DATABASE_URL": own_database,
            "REDIS_URL": redis_url,
            "REDIS_PREFIX": prefix,
        }
        with serving("servers", environment, directory, processes=2) as setup:
            yield setup


@contextmanager
def serving(
    name: str, environment: Environment, directory: Path, *, processes: int
) -> Iterator[SetUp]:
    """Migrate the database, then run so many server processes until the block ends."""
    manage(environment, "migrate", "--noinput")
    with ExitStack() as running:
        started = [
            running.enter_context(server(environment, directory / f"server-{number}.log"))
            for number in range(processes)
        ]
        for one in started:
            wait_until_ready(one)
        yield SetUp(name, environment, started)


@contextmanager
def server(environment: Environment, log: Path) -> Iterator[Server]:
    """Run one server process; at the end it must leave by itself when told to."""
    one = begin(environment, log, free_port(), "-m", "project.server")
    try:
        yield one
    finally:
        stop(one)


def begin(environment: Environment, log: Path, port: int, *command: str) -> Server:
    """Start a command of Python that serves on a port; whoever starts it also stops it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**environment, "HOST": "127.0.0.1", "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Server(process, port, log)


def stop(one: Server) -> None:
    """Ask the process to leave, and kill it when it does not: which is an error."""
    if one.process.poll() is not None:
        return
    one.process.send_signal(signal.SIGTERM)
    try:
        one.process.wait(GONE_WITHIN)
    except subprocess.TimeoutExpired:
        one.process.kill()
        one.process.wait()
        raise BadEnding(f"{one.address} was still there {GONE_WITHIN} s after SIGTERM") from None


def wait_until_ready(one: Server) -> None:
    """Return when the process says that it is ready; one that ends or dawdles is an error."""
    deadline = monotonic() + READY_WITHIN
    while not says_ready(one.port):
        try:
            code = one.process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            if monotonic() < deadline:
                continue
            code = None
        outcome = f"ended with {code}" if code is not None else "never became ready"
        raise BadEnding(f"{one.address} {outcome}:\n{one.log.read_text(errors='replace')[-4000:]}")


def says_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=REACHED_WITHIN)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def manage(environment: Environment, *arguments: str) -> None:
    """Run a management command; what it says is shown only when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BadEnding(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def private_database(url: str) -> Iterator[str]:
    """Create a database beside the one named, yield its address, and drop it."""
    parts = urlsplit(url)
    name = f"{parts.path.strip('/') or 'parley'}_{private_name()}"
    maintenance, identifier = parts._replace(path="/postgres").geturl(), sql.Identifier(name)
    execute(maintenance, sql.SQL("CREATE DATABASE {}").format(identifier))
    try:
        yield parts._replace(path=f"/{name}").geturl()
    finally:
        execute(maintenance, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def execute(url: str, statement: sql.Composed) -> None:
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=REACHED_WITHIN)
    except psycopg.OperationalError as error:
        raise Unreachable(f"no PostgreSQL at {without_password(url)}: {error}") from error
    with connection:
        connection.execute(statement)


@contextmanager
def private_prefix(url: str, prefix: str) -> Iterator[None]:
    """Lend a prefix of Redis, and delete whatever was written under it."""
    with redis.Redis.from_url(url, socket_connect_timeout=REACHED_WITHIN) as client:
        try:
            client.ping()
        except redis.RedisError as error:
            raise Unreachable(f"no Redis at {without_password(url)}: {error}") from error
        try:
            yield
        finally:
            for key in client.scan_iter(match=f"*{prefix}*"):
                client.delete(key)


def without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def common_environment() -> Environment:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONUNBUFFERED": "1"}


def private_name() -> str:
    return f"{os.getpid()}_{secrets.token_hex(4)}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
