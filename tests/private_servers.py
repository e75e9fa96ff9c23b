"""A PostgreSQL and a Redis that a test may kill and freeze: children of this process, on ports of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import psycopg
import redis

from tests.live.processes import BadEnding, free_port

UP_WITHIN = 60.0
GONE_WITHIN = 20.0
POSTGRES_BINARIES = Path("/usr/lib/postgresql")


class PrivateServer(ABC):
    """One server process, with a directory of its own that goes with it."""

    name: str
    asked_to_stop = signal.SIGTERM

    def __init__(self) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix=f"parley-{self.name}-"))
        self.log = self.directory / "log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address, as the settings take it."""

    @abstractmethod
    def command(self) -> list[str]:
        """What runs the server in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.clear()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def start(self) -> None:
        """Start it, on the same port and with what it has stored, and return once it answers."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = monotonic() + UP_WITHIN
        while not self.answers():
            if self.process.poll() is not None or monotonic() > deadline:
                raise BadEnding(f"{self.name} did not start:\n{self.log.read_text()[-4000:]}")
            sleep(0.05)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(self.asked_to_stop)

    def kill(self) -> None:
        """End it at once; nothing is written any more."""
        self._end(signal.SIGKILL)

    def stop_signal(self) -> None:
        """Freeze it: it keeps its connections and answers nothing."""
        self._tell_all(signal.SIGSTOP)

    def cont(self) -> None:
        """Let it go on."""
        self._tell_all(signal.SIGCONT)

    def clear(self) -> None:
        """End it, and take its directory away."""
        if self.process is not None and self.process.poll() is None:
            self.cont()
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(GONE_WITHIN)

    def _tell_all(self, what: signal.Signals) -> None:
        if self.process is not None:
            for pid in (self.process.pid, *children(self.process.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, what)


class PrivateRedis(PrivateServer):
    """A redis-server that keeps nothing on disk."""

    name = "redis"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        return ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1, retry=None) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class PrivatePostgres(PrivateServer):
    """A cluster whose superuser needs no password."""

    name = "postgres"
    asked_to_stop = signal.SIGINT

    def __init__(self) -> None:
        super().__init__()
        self.data = self.directory / "data"
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        try:
            self._make()
        except BaseException:
            self.clear()
            raise

    def _make(self) -> None:
        options = ["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-sync"]
        command = [*self.program("initdb"), "--pgdata", str(self.data), *options]
        made = subprocess.run(command, cwd=self.directory, capture_output=True, check=False)
        if made.returncode:
            raise BadEnding(f"initdb failed:\n{made.stderr.decode(errors='replace')}")

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def program(self, name: str) -> list[str]:
        """Return the call of one of PostgreSQL's programs, none of which runs as root."""
        newest = max(POSTGRES_BINARIES.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
        ids = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
        return [*(["setpriv", *ids] if os.getuid() == 0 else []), str(newest)]

    def command(self) -> list[str]:
        options = [f"--port={self.port}", "--listen_addresses=127.0.0.1"]
        return [*self.program("postgres"), "-D", str(self.data), *options, "-k", ""]

    def kill(self) -> None:
        """End it as a crash would: no checkpoint, connections cut. Its processes share memory, so they go together."""
        self._end(signal.SIGQUIT)

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False


def children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # After the name, which is in brackets and may have any letters: state, parent.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found
