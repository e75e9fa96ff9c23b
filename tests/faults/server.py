"""A process of the service itself, and the whole of it: database, Redis and several servers, privately."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psycopg

from tests.live.processes import ROOT, manage, says_ready
from tests.live.services import NotStarted, Postgres, Redis, Service, await_answer, lasting_port

PROCESSES = 2
REPAIRED = "chat_repaired_events_total"


def base_environment() -> dict[str, str]:
    """The settings of production, on this machine alone and without TLS."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "PYTHONUNBUFFERED": "1",
        "HOST": "127.0.0.1",
        "DEBUG": "off",
        "HTTPS": "off",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": "for faults only, and long enough to be let in: 0123456789",
        "JWT_SIGNING_KEY": "for faults only as well, and another one: 9876543210",
        "JWT_ACCESS_MINUTES": "180",
        "CHAT_LIMIT_REGISTER": "100000/hour",
        "WEB_CONCURRENCY": "1",
    }


class Server(Service):
    """One server process, always at the same port; ``sabotage`` is what its next start is to do wrong."""

    name = "server"

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        super().__init__(directory)
        self.common = dict(environment)
        self.sabotage: dict[str, str] = {}
        self.directory = ROOT
        self.metrics_port = lasting_port()

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "project.server"]

    def environment(self) -> dict[str, str]:
        metrics = f"127.0.0.1:{self.metrics_port}"
        return {**self.common, "PORT": str(self.port), "CHAT_METRICS": metrics, **self.sabotage}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answers(self) -> bool:
        if not self.running:
            raise NotStarted(f"a server ended at its start:\n{self.log.read_text()[-2000:]}")
        return says_ready(self.port)

    def restart(self, **sabotage: str) -> None:
        """Start anew, with other sabotage or none."""
        if self.running:
            self.kill()
        self.sabotage = sabotage
        self.start()

    def restart_to_die(self, **sabotage: str) -> None:
        """Start anew with sabotage that ends it; return once it is ready, or dead already."""
        if self.running:
            self.kill()
        self.sabotage = sabotage
        self.launch()
        await_answer(self.name, lambda: not self.running or says_ready(self.port))

    @property
    def resident(self) -> int:
        """Bytes of memory that the process holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def descriptors(self) -> int:
        """Files and sockets that the process has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def repairs(self) -> int:
        """Return how many events this process read from the log because no push had brought them."""
        connection = HTTPConnection("127.0.0.1", self.metrics_port, timeout=3)
        try:
            connection.request("GET", "/metrics")
            told = connection.getresponse().read().decode()
        finally:
            connection.close()
        (line,) = [one for one in told.splitlines() if one.startswith(f"{REPAIRED} ")]
        return int(float(line.partition(" ")[2]))


class Cluster:
    """The whole service; every connection between its parts can be led through a proxy."""

    def __init__(
        self, directory: Path, servers: list[Server], postgres: Postgres | None, redis: Redis | None
    ) -> None:
        self.directory = directory
        self.servers = servers
        self.maybe_postgres = postgres
        self.maybe_redis = redis

    @property
    def postgres(self) -> Postgres:
        assert self.maybe_postgres
        return self.maybe_postgres

    @property
    def redis(self) -> Redis:
        assert self.maybe_redis
        return self.maybe_redis

    @property
    def addresses(self) -> list[str]:
        return [server.address for server in self.servers]

    def logs(self) -> str:
        """All that the servers have written."""
        return "\n".join(server.log.read_text(errors="replace") for server in self.servers)

    def repairs(self) -> dict[int, int]:
        """What each process that is there has repaired since its start, by its pid."""
        return {server.pid: server.repairs() for server in self.servers if server.running}

    def mend(self) -> None:
        """Have every part run as it should, whatever was done to it."""
        for service in (self.maybe_postgres, self.maybe_redis):
            if service is not None:
                service.go_on()
                if not service.running:
                    service.start()
        for server in self.servers:
            server.go_on()
            if not server.running or server.sabotage:
                server.restart()

    def query(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Read the database directly: the truth."""
        with psycopg.connect(self.postgres.url, connect_timeout=5) as connection:
            return connection.execute(statement, values).fetchall()


@contextmanager
def cluster(processes: int = PROCESSES) -> Iterator[Cluster]:
    """Run it all on PostgreSQL and Redis until the block ends. Raises Missing where a program is not there."""
    with ExitStack() as running:
        directory = _scratch(running)
        postgres, redis = Postgres(directory), Redis(directory)
        for service in (redis, postgres):
            running.enter_context(service)
        environment = {
            **base_environment(),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "REDIS_PREFIX": "faults",
        }
        servers = _started(running, directory, environment, processes)
        yield Cluster(directory, servers, postgres, redis)


@contextmanager
def embedded() -> Iterator[Cluster]:
    """Run one process on SQLite, with nothing beside it, until the block ends."""
    with ExitStack() as running:
        directory = _scratch(running)
        database = f"sqlite:///{directory / 'parley.sqlite3'}"
        environment = {**base_environment(), "DATABASE_URL": database, "REDIS_URL": ""}
        yield Cluster(directory, _started(running, directory, environment, 1), None, None)


def _scratch(running: ExitStack) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="parley-faults-"))
    running.callback(shutil.rmtree, directory, ignore_errors=True)
    return directory


def _started(
    running: ExitStack, directory: Path, environment: dict[str, str], processes: int
) -> list[Server]:
    manage(environment, "migrate", "--noinput")
    servers = [Server(directory, environment) for _ in range(processes)]
    for server in servers:
        running.callback(server.end)
        server.launch()
    for server in servers:
        await_answer(server.name, server.answers)
    return servers


def connected(client_port: int, server_port: int) -> bool:
    """Whether the server's end of a connection still stands."""
    ends = (f":{server_port:04X}", f":{client_port:04X}")
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, remote, state = line.split()[1:4]
        if local.endswith(ends[0]) and remote.endswith(ends[1]):
            return state == "01"
    return False
