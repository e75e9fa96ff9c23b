"""Runs everything that must hold, and says so in one table; what could not run is named, never passed over."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
DATABASE_URL = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
PRIVATE = f"parley_{os.getpid()}"
SCRATCH = Path(tempfile.mkdtemp(prefix="parley-"))
EMBEDDED = {"DATABASE_URL": f"sqlite:///{SCRATCH}/db.sqlite3", "REDIS_URL": ""}

# Sockets and faults wait most of their time; what else there is on PostgreSQL and Redis goes beside them.
SOCKETS = ("tests/websocket", "tests/faults")
# These bring a set-up of their own, whatever the others are on: once is enough.
APART = (
    "tests/browser",
    "tests/test_client_faults.py",
    "tests/test_docker.py",
    "tests/test_forwarded.py",
    "tests/test_host.py",
    "tests/test_operating.py",
    "tests/test_own_user_model.py",
    "tests/test_production.py",
    "tests/test_proxies.py",
    "tests/test_readme.py",
    "tests/test_startup.py",
    "tests/test_two_databases.py",
)
SERVER = "tests, server"
PARTS = {
    SERVER: [f"--ignore={folder}" for folder in (*SOCKETS, *APART)],
    "tests, sockets": list(SOCKETS),
}
OWN = "tests, apart"
ONE_PROCESS = ("-m", "not (redis or postgres)")

Environment = dict[str, str]


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass
class Outcome:
    name: str
    verdict: str
    seconds: float = 0
    count: Count = field(default_factory=Count)
    tests: bool = False


def run(command: list[str], env: Environment | None = None, log: Path | None = None) -> bool:
    """Run a command; with a log, what it says goes there and is left to whoever shows it."""
    print(f"$ {shlex.join(command)}", flush=True)
    with open(log, "w") if log else contextlib.nullcontext() as output:
        done = subprocess.run(
            command,
            check=False,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdout=output,
            stderr=subprocess.STDOUT if log else None,
        )
    return done.returncode == 0


def step(name: str, work: Callable[[], bool]) -> Outcome:
    print(f"\n==> {name}", flush=True)
    began = time.monotonic()
    return Outcome(name, "ok" if work() else "FAILED", time.monotonic() - began)


def tool(name: str, *arguments: str) -> list[str]:
    return [str(TOOLS / name), *arguments]


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def lint() -> list[Outcome]:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", **EMBEDDED}
    commands = {
        "ruff check": tool("ruff", "check", "."),
        "ruff format": tool("ruff", "format", "--check", "."),
        "mypy": tool("mypy"),
        "bandit": tool("bandit", "--quiet", "--recursive", "chat", "project"),
        "manage.py check": python("manage.py", "check", "--fail-level", "WARNING"),
        "migrations": python("manage.py", "makemigrations", "--check", "--dry-run"),
    }
    return [step(name, lambda c=command: run(c, settings)) for name, command in commands.items()]


def pytest(name: str, env: Environment, *arguments: str, log: Path | None = None) -> Outcome:
    report = SCRATCH / f"{name}.xml"
    command = python("-m", "pytest", "--quiet", f"--junit-xml={report}", *arguments)
    outcome = step(name, lambda: run(command, env, log))
    outcome.tests, outcome.count = True, counted(report)
    if outcome.verdict == "FAILED" and not outcome.count.failed:
        outcome.count.failed = 1  # It ended before any test could fail.
    return outcome


def counted(report: Path) -> Count:
    count = Count()
    if report.exists():
        for suite in ElementTree.parse(report).iter("testsuite"):
            tests, *other = (
                int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")
            )
            count += Count(tests - sum(other), other[0] + other[1], other[2])
    return count


def chromium() -> None:
    """Have the browser of the page tests; where it cannot be had they say so themselves."""
    names = ("chromium", "chromium-browser", "google-chrome")
    if any(map(shutil.which, names)) or not shutil.which("apt-get") or os.geteuid():
        return
    print("\n==> Installing Chromium for the tests of the pages", flush=True)
    if run(["apt-get", "update", "--quiet"]):
        run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"])


def proxies() -> None:
    """Install nginx and Caddy where that is possible; elsewhere their tests say that they are missing."""
    packages = {"nginx": "nginx-light", "caddy": "caddy"}
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    missing = [package for name, package in packages.items() if not shutil.which(name, path=path)]
    if not missing or not shutil.which("apt-get") or os.geteuid():
        return
    print(f"\n==> Installing {' and '.join(missing)} for the tests of docs/operating/", flush=True)
    # The packages would start the services themselves.
    quiet = ["--yes", "--quiet", "--no-install-recommends"]
    if run(["apt-get", "update", "--quiet"]):
        run(["apt-get", "install", *quiet, *missing], {"RUNLEVEL": "1"})


def embedded() -> Outcome:
    """One process alone: SQLite and the in-memory layer."""
    beside = [f"--ignore={path}" for path in APART]
    return pytest("tests, embedded", EMBEDDED, *ONE_PROCESS, *beside)


def apart() -> Outcome:
    return pytest(OWN, EMBEDDED, *ONE_PROCESS, *APART, log=SCRATCH / f"{OWN}.log")


def servers() -> list[Outcome]:
    """Several processes: PostgreSQL and Redis, under names that no one else uses, in two parts side by side.

    And after the shorter of them, or instead of both, what brings a set-up of its own.
    """
    missing = [*unreachable_database(), *unreachable_redis()]
    if not missing:
        try:
            with ThreadPoolExecutor(1) as beside:
                server = beside.submit(part, SERVER)
                return [*(part(name) for name in PARTS if name != SERVER), apart(), server.result()]
        finally:
            drop_databases()
    box(
        f"SKIPPED: {', '.join(PARTS)}",
        "Not run: everything on PostgreSQL and Redis, several processes included.",
        *missing,
    )
    verdict = "FAILED" if os.environ.get("CI") == "true" else "SKIPPED"
    return [*(Outcome(name, verdict, tests=True) for name in PARTS), apart()]


def part(name: str) -> Outcome:
    private = f"{PRIVATE}_{list(PARTS).index(name)}"
    env = {
        "DATABASE_URL": urlsplit(DATABASE_URL)._replace(path=f"/{private}").geturl(),
        "REDIS_URL": REDIS_URL,
        "REDIS_PREFIX": private,
    }
    return pytest(name, env, *PARTS[name], log=SCRATCH / f"{name}.log")


def both_set_ups() -> list[Outcome]:
    """The two share nothing, so they run side by side; what the second says is shown when both have ended."""
    with ThreadPoolExecutor(1) as beside:
        second = beside.submit(servers)
        outcomes = [embedded(), *second.result()]
    for name in (*PARTS, OWN):
        log = SCRATCH / f"{name}.log"
        if log.exists():
            print(f"\n==> {name}, what it said\n{log.read_text()}", flush=True)
    return outcomes


def unreachable_database() -> list[str]:
    import psycopg

    if urlsplit(DATABASE_URL).scheme not in {"postgres", "postgresql"}:
        return ["DATABASE_URL does not name a PostgreSQL."]
    try:
        psycopg.connect(DATABASE_URL, connect_timeout=3).close()
    except psycopg.Error as error:
        return [f"PostgreSQL: {str(error).splitlines()[0]}"]
    return []


def unreachable_redis() -> list[str]:
    import redis

    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:
        return [f"Redis: {error}"]
    return []


def drop_databases() -> None:
    """A run that was killed leaves its databases behind; the next one cannot know their names."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(DATABASE_URL, autocommit=True) as connection:
        ours = "SELECT datname FROM pg_database WHERE datname ~ %s"
        for (name,) in connection.execute(ours, [f"(^|_){PRIVATE}(_|$)"]).fetchall():
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def box(*lines: str) -> None:
    width = max(map(len, lines))
    edge = "#" * (width + 4)
    print("", edge, *(f"# {line:<{width}} #" for line in lines), edge, sep="\n", flush=True)


def table(outcomes: list[Outcome]) -> None:
    print(f"\n{'step':<18}{'verdict':<9}{'seconds':>8}  tests")
    for outcome in outcomes:
        tests = outcome.count if outcome.tests else ""
        print(f"{outcome.name:<18}{outcome.verdict:<9}{outcome.seconds:>8.1f}  {tests}")


def main() -> int:
    outcomes = lint()
    if "lint" not in sys.argv[1:]:
        chromium()
        proxies()
        outcomes += both_set_ups()
    table(outcomes)
    print(sum((outcome.count for outcome in outcomes), Count()), flush=True)
    return int(any(outcome.verdict == "FAILED" for outcome in outcomes))


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        shutil.rmtree(SCRATCH)
