"""The runs of pytest: each set-up in parts that share nothing, so that they can run side by side."""

from __future__ import annotations

import os
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.suite.commands import ROOT
from tests.suite.steps import EMBEDDED, Environment, Outcome, Step, pytest
from tests.suite.table import box

DATABASE_URL = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
PRIVATE = f"parley_{os.getpid()}"

# These tests wait most of their time; the rest of a set-up keeps the processor busy meanwhile.
SOCKETS = ("tests/websocket",)
FAULTS = ("tests/faults", "tests/live")
# REST and the admin: as long as all that is left.
OVER_HTTP = ("tests/rest", "tests/admin", "tests/test_access_matrix.py")
# These tests bring a set-up of their own, so one run of them is enough.
APART = (
    "tests/browser",
    "tests/server",
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
APART = tuple(path for path in APART if (ROOT / path).exists())
# The domain, for `make quick`: no transport, no process, no browser.
DOMAIN = ("tests/actions", "tests/queries", "tests/test_events.py", "tests/test_fields.py")
DOMAIN += ("tests/test_policy.py", "tests/test_replay.py", "tests/test_shapes.py")
DOMAIN += ("tests/test_state_machine.py", "tests/test_architecture.py", "tests/test_lint.py")

ON_SQLITE = ("-m", "not (redis or postgres)")
ON_SERVERS = ("-m", "not once")
SERVER_PARTS = ("server, sockets", "server, domain", "server, HTTP", "server, faults")


def quick() -> list[Step]:
    """Return the run of the domain on SQLite."""
    return [pytest("domain", EMBEDDED, *ON_SQLITE, *DOMAIN)]


def everything() -> list[Step]:
    """Return all parts, the longest first, so that the workers end at about the same time."""
    rest = _all_but(*SOCKETS, *FAULTS, *APART, *OVER_HTTP)
    return [
        pytest("apart", EMBEDDED, *ON_SQLITE, *APART),
        pytest("server, sockets", _servers(0), *ON_SERVERS, *SOCKETS),
        pytest("embedded, sockets", EMBEDDED, *ON_SQLITE, *SOCKETS, "tests/live"),
        pytest("server, domain", _servers(1), *ON_SERVERS, *rest),
        pytest("server, HTTP", _servers(2), *ON_SERVERS, *OVER_HTTP),
        pytest("embedded, domain", EMBEDDED, *ON_SQLITE, *rest),
        pytest("server, faults", _servers(3), *ON_SERVERS, *FAULTS),
        pytest("embedded, HTTP", EMBEDDED, *ON_SQLITE, *OVER_HTTP),
    ]


def unreachable() -> list[str]:
    """Say which of PostgreSQL and Redis does not answer, and why."""
    return [*_unreachable_database(), *_unreachable_redis()]


def not_run(reasons: Iterable[str]) -> list[Outcome]:
    """Report the parts on PostgreSQL and Redis as skipped, or on CI as failed."""
    box(
        f"SKIPPED: {', '.join(SERVER_PARTS)}",
        "Not run: everything on PostgreSQL and Redis, several processes included.",
        *reasons,
    )
    verdict = "FAILED" if os.environ.get("CI") == "true" else "SKIPPED"
    return [Outcome(name, verdict, tests=True) for name in SERVER_PARTS]


def drop_databases() -> None:
    """Drop the databases of this run: a run that was killed leaves some, and the next cannot know their names."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(DATABASE_URL, autocommit=True) as connection:
        ours = "SELECT datname FROM pg_database WHERE datname ~ %s"
        for (name,) in connection.execute(ours, [f"(^|_){PRIVATE}(_|$)"]).fetchall():
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _all_but(*paths: str) -> tuple[str, ...]:
    return tuple(f"--ignore={path}" for path in paths)


def _servers(number: int) -> Environment:
    private = f"{PRIVATE}_{number}"
    return {
        "DATABASE_URL": urlsplit(DATABASE_URL)._replace(path=f"/{private}").geturl(),
        "REDIS_URL": REDIS_URL,
        "REDIS_PREFIX": private,
    }


def _unreachable_database() -> list[str]:
    import psycopg

    if urlsplit(DATABASE_URL).scheme not in {"postgres", "postgresql"}:
        return ["DATABASE_URL does not name a PostgreSQL."]
    try:
        psycopg.connect(DATABASE_URL, connect_timeout=3).close()
    except psycopg.Error as error:
        return [f"PostgreSQL: {str(error).splitlines()[0]}"]
    return []


def _unreachable_redis() -> list[str]:
    import redis

    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:
        return [f"Redis: {error}"]
    return []
