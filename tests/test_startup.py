"""A service that cannot work says why in one line, and one without Redis serves one process and says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_urlsafe

import orjson
import pytest

from tests.live.processes import ROOT, free_port, server, wait_until_ready
from tests.live.services import children

SITE = {
    "DJANGO_SETTINGS_MODULE": "project.settings",
    "DEBUG": "off",
    "HTTPS": "off",
    "SECRET_KEY": token_urlsafe(64),
    "JWT_SIGNING_KEY": token_urlsafe(64),
    "ALLOWED_HOSTS": "127.0.0.1",
    "REDIS_URL": "",
}
SERVER = ["-m", "project.server"]
NOWHERE = "postgres://ann:sesame@127.0.0.1:1/parley"

# A variable, and what the one line says of it.
WRONG = {
    "no database": ({"DATABASE_URL": "nonsense"}, "DATABASE_URL must be postgres://"),
    "a database that is not served": (
        {"DATABASE_URL": "mysql://ann:sesame@127.0.0.1/chat"},
        "DATABASE_URL must be postgres://",
    ),
    "a server without a database": (
        {"DATABASE_URL": "postgres://ann:sesame@127.0.0.1:5432"},
        "DATABASE_URL names no database",
    ),
    "a port of a database that is none": (
        {"DATABASE_URL": "postgres://ann:sesame@127.0.0.1:port/parley"},
        "DATABASE_URL has a part that cannot be read",
    ),
    "a database that refuses": ({"DATABASE_URL": NOWHERE}, "DATABASE_URL does not answer: conn"),
    "a file that cannot be": (
        {"DATABASE_URL": "sqlite:////nowhere/parley.sqlite3"},
        "DATABASE_URL does not answer: unable to open database file",
    ),
    "a time that is none": (
        {"DATABASE_URL": NOWHERE, "DATABASE_STATEMENT_TIMEOUT": "soon"},
        "DATABASE_STATEMENT_TIMEOUT: 'soon' is no time",
    ),
    "a pool of no size": (
        {"DATABASE_URL": NOWHERE, "DATABASE_POOL_MAX": "many"},
        "DATABASE_POOL_MAX must be a whole number of 2 or more, not 'many'.",
    ),
    "a pool that begins above its end": (
        {"DATABASE_URL": NOWHERE, "DATABASE_POOL_MIN": "30", "DATABASE_POOL_MAX": "20"},
        "DATABASE_POOL_MAX must be a whole number of 30 or more",
    ),
    "no threads": ({"HTTP_THREADS": "none"}, "HTTP_THREADS must be a whole number of 1 or more"),
    "no Redis": ({"REDIS_URL": "nonsense:sesame"}, "REDIS_URL must be redis://"),
    "a switch that is neither": ({"HTTPS": "yess"}, "HTTPS must be on or off, not 'yess'."),
    "a level that is none": ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of DEBUG, INFO"),
    "a format that is none": ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be one of text, json"),
    "a port of Redis that is none": ({"REDIS_URL": "redis://host:port/0"}, "REDIS_URL has a port"),
}
OF_THE_SERVER = {
    "a rate that is none": ({"CHAT_LIMIT_WRITES": "lots"}, "(chat.E013)"),
    "an origin that is none": ({"CHAT_ORIGINS": "app.example.com"}, "(corsheaders.E013)"),
    "no port": ({"PORT": "abc"}, "PORT must be a whole number from 0 to 65535, not 'abc'."),
    "a port of signs": ({"PORT": "--1"}, "PORT must be a whole number from 0 to 65535, not '--1'."),
    "a port too high": ({"PORT": "70000"}, "PORT must be a whole number from 0 to 65535"),
    "no processes": ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY must be a whole number of 1 or"),
    "processes that are none": ({"WEB_CONCURRENCY": "two"}, "WEB_CONCURRENCY must be a whole"),
}


def attempt(command: list[str], place: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **SITE, "DATABASE_URL": f"sqlite:///{place / 'db.sqlite3'}"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**environment, **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def one_line(done: subprocess.CompletedProcess[str], begin: str, says: str) -> None:
    (line,) = done.stderr.splitlines()
    assert line.startswith(begin)
    assert says in line
    assert done.returncode == 1
    assert "sesame" not in done.stderr + done.stdout


@pytest.mark.parametrize("name", {**WRONG, **OF_THE_SERVER})
def test_server_does_not_start_and_says_why_in_one_line(name: str, tmp_path: Path) -> None:
    changes, says = {**WRONG, **OF_THE_SERVER}[name]
    one_line(attempt(SERVER, tmp_path, **changes), "Not started: ", says)


@pytest.mark.parametrize("name", ["no database", "a database that refuses", "no Redis"])
def test_migrate_says_why_in_one_line(name: str, tmp_path: Path) -> None:
    changes, says = WRONG[name]
    one_line(attempt(["manage.py", "migrate"], tmp_path, **changes), "Not run: ", says)


def test_address_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with server({**os.environ, **SITE, **database(tmp_path)}, tmp_path / "log") as first:
        wait_until_migrated(tmp_path)
        while first.process.poll() is None and not listens(first.port):
            pass
        done = attempt(SERVER, tmp_path, PORT=str(first.port))
    one_line(done, "Not started: ", "Address already in use")


def database(place: Path) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{place / 'db.sqlite3'}"}


def wait_until_migrated(place: Path) -> None:
    assert attempt(["manage.py", "migrate"], place).returncode == 0


def listens(port: int) -> bool:
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
    except OSError:
        return False


def test_without_redis_one_process_serves_and_says_so(tmp_path: Path) -> None:
    wait_until_migrated(tmp_path)
    environment = {**os.environ, **SITE, **database(tmp_path), "WEB_CONCURRENCY": "3"}
    with server(environment, tmp_path / "log") as one:
        wait_until_ready(one)
        assert not children(one.process.pid)
        with closing(HTTPConnection("127.0.0.1", one.port, timeout=30)) as connection:
            connection.request("GET", "/readyz")
            told = orjson.loads(connection.getresponse().read())
    assert (told["status"], told["layer"]) == ("ok", "in-process")
    said = [line for line in one.log.read_text().splitlines() if "REDIS_URL is not set" in line]
    assert len(said) == 1
    assert orjson.loads(said[0])["level"] == "WARNING"
    assert "one process serves instead of 3" in said[0]


# --- The Makefile, with an interpreter that says what it is asked and does nothing.

ECHO = """#!/bin/sh
case "$2" in
    *secrets*) echo "made-up-key-$$" ;;
    *) echo "DEBUG=$DEBUG ALLOWED_HOSTS=$ALLOWED_HOSTS WEB_CONCURRENCY=$WEB_CONCURRENCY $*" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which everything is installed already."""
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    program = tmp_path / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(ECHO)
    program.chmod(0o755)
    for name in ("base", "production"):
        (tmp_path / ".venv" / f".installed-{name}").touch()
    return tmp_path


def make(checkout: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    command = ["make", f"PYTHON={checkout}/.venv/bin/python", *arguments]
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=True
    ).stdout


UNSET = {"DEBUG", "ALLOWED_HOSTS", "WEB_CONCURRENCY", "MAKEFLAGS", "MAKELEVEL", "HOST", "PORT"}


@pytest.mark.parametrize("goal", ["run", "serve"])
def test_what_make_writes_is_safe_for_whatever_else_starts_with_it(
    checkout: Path, goal: str
) -> None:
    make(checkout, goal, f"PORT={free_port()}")
    written = (checkout / ".env").read_text().splitlines()
    assert "DEBUG=off" in written
    assert "ALLOWED_HOSTS=127.0.0.1,localhost" in written
    keys = {line for line in written if line.startswith(("SECRET_KEY=", "JWT_SIGNING_KEY="))}
    assert len({line.partition("=")[2] for line in keys}) == 2
    assert (checkout / ".env").stat().st_mode & 0o077 == 0


def test_development_mode_is_for_make_run_alone(checkout: Path) -> None:
    run = [line for line in make(checkout, "run").splitlines() if line.startswith("DEBUG=")]
    serve = [line for line in make(checkout, "serve").splitlines() if line.startswith("DEBUG=")]
    assert len(run) == 2
    assert {line.split()[0] for line in run} == {"DEBUG=on"}
    assert len(serve) == 3
    assert {line.split()[0] for line in serve} == {"DEBUG=off"}
    assert serve[-1].endswith("WEB_CONCURRENCY=2 -m project.server")
