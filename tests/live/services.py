"""A PostgreSQL and a Redis that a test may kill and hang: on ports of their own, and gone at the end."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import psycopg
import redis

STARTED_WITHIN = 60.0
STOPPED_WITHIN = 15.0


class Missing(Exception):
    """A program that the harness needs is not on this machine."""


class NotStarted(Exception):
    """A service did not answer in ample time."""


def program(name: str, *places: Path) -> str:
    """Return where a program is. Raises Missing."""
    for place in sorted(places, reverse=True):
        if (place / name).exists():
            return str(place / name)
    found = shutil.which(name)
    if found is None:
        raise Missing(f"there is no {name} on this machine")
    return found


def await_answer(name: str, answers: Callable[[], bool], within: float = STARTED_WITHIN) -> None:
    """Return once a service answers. Raises NotStarted."""
    deadline = monotonic() + within
    while not answers():
        if monotonic() > deadline:
            raise NotStarted(f"{name} did not answer within {within:.0f} s")
        sleep(0.05)


def lasting_port() -> int:
    """A free port that stays ours while nobody listens: no connection is given it, as those come from a range above."""
    above = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(above // 2, above)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


class Service:
    """A child process that can be killed, stopped where it stands, and started again at the same place."""

    name = "service"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = lasting_port()
        self.log = directory / f"{self.name}-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def answers(self) -> bool:
        raise NotImplementedError

    def launch(self) -> None:
        """Start the process without waiting for it."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.directory,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def start(self) -> None:
        """Start the process and return once it answers. Raises NotStarted."""
        self.launch()
        await_answer(self.name, self.answers)

    def tell(self, number: int) -> None:
        """Give the process and what it has started a signal: itself first, so that it starts no more meanwhile."""
        os.kill(self.pid, number)
        for pid in children(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def hang(self) -> None:
        """Stop the process where it stands: it holds its connections and answers nothing."""
        self.tell(signal.SIGSTOP)

    def go_on(self) -> None:
        if self.running:
            self.tell(signal.SIGCONT)

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        self.leave(signal.SIGKILL)

    def leave(self, number: int = signal.SIGTERM, within: float = STOPPED_WITHIN) -> float:
        """Tell the process to end, and return the seconds it took; beyond ``within`` it is killed."""
        began = monotonic()
        if self.process is None:
            return 0.0
        if self.running:
            os.kill(self.pid, number)
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return monotonic() - began

    def end(self) -> None:
        """Be gone, in whatever state one is."""
        if self.running:
            self.go_on()
        self.leave()


class Redis(Service):
    """Keeps nothing: after a restart it is empty."""

    name = "redis"

    def command(self) -> Sequence[str]:
        nothing_kept = ("--save", "", "--appendonly", "no")
        where = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.directory))
        return [program("redis-server"), *where, *nothing_kept]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=3) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def flush(self) -> int:
        """Empty it while it runs, and return how many keys there were."""
        with redis.Redis.from_url(self.url, socket_timeout=3) as client:
            keys = int(client.dbsize())
            client.flushall()
            return keys


class Postgres(Service):
    """A cluster that may lose nothing in a crash: fsync and synchronous_commit are on."""

    name = "postgres"

    def __init__(self, directory: Path) -> None:
        # Not below the harness's own directory, which the account it runs as may not enter.
        self.data = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
        super().__init__(directory)
        self.binaries = [Path(program("initdb", *_versions())).parent]

    def as_postgres(self, name: str, *arguments: str) -> list[str]:
        """A command line that runs a program of PostgreSQL, which refuses to be root."""
        line = [program(name, *self.binaries), *arguments]
        if os.geteuid():
            return line
        return [program("setpriv"), "--reuid=postgres", "--regid=postgres", "--init-groups", *line]

    def launch(self) -> None:
        """Start it, and make the cluster where there is none yet."""
        if not (self.data / "PG_VERSION").exists():
            self._create()
        kept, self.directory = self.directory, self.data
        super().launch()
        self.directory = kept

    def _create(self) -> None:
        if not os.geteuid():
            shutil.chown(self.data, "postgres", "postgres")
        how = ("--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8")
        line = self.as_postgres("initdb", f"--pgdata={self.data}", *how)
        subprocess.run(line, check=True, capture_output=True, cwd=self.data)

    def command(self) -> Sequence[str]:
        options = {
            "fsync": "on",
            "synchronous_commit": "on",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
        }
        named = [f"--{name}={value}" for name, value in options.items()]
        return self.as_postgres("postgres", "-D", str(self.data), "-p", str(self.port), *named)

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """End it as a crash does, back ends included, as they share memory; the next start recovers from the log."""
        self.leave(signal.SIGQUIT)

    def end(self) -> None:
        if self.running:
            self.go_on()
        # Fast shutdown: whoever is still connected is cut off.
        self.leave(signal.SIGINT)
        shutil.rmtree(self.data, ignore_errors=True)


class Standby(Postgres):
    """A replica of a cluster: follows it while it is there, and takes its place when it is promoted."""

    name = "standby"

    def __init__(self, directory: Path, primary: Postgres) -> None:
        super().__init__(directory)
        self.primary = primary

    def _create(self) -> None:
        if not os.geteuid():
            shutil.chown(self.data, "postgres", "postgres")
        how = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        places = (f"--pgdata={self.data}", f"--dbname={self.primary.url}")
        line = self.as_postgres("pg_basebackup", *places, *how)
        subprocess.run(line, check=True, capture_output=True, cwd=self.data)

    def stop(self) -> None:
        """Follow no further; what was copied stays."""
        self.leave(signal.SIGINT)

    def take_the_place(self) -> None:
        """Start, still in recovery, where the primary was."""
        self.port = self.primary.port
        # It would else follow itself.
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write("primary_conninfo = ''\n")
        self.start()

    def promote(self) -> None:
        """Become a primary; return once writes are taken."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")


def _versions() -> list[Path]:
    return list(Path("/usr/lib/postgresql").glob("*/bin"))
