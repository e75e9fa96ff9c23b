"""What docs/operating.md says works: the unit, a platform's variables, migrations of one's own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic

import anyio
import pytest

from tests.live.processes import (
    GONE_WITHIN,
    READY_WITHIN,
    ROOT,
    Server,
    free_port,
)
from tests.test_readme import new_project
from tests.websocket.wire import Caller, greeted

UNIT = ROOT / "docs" / "operating" / "parley.service"
PAGE = (ROOT / "docs" / "operating.md").read_text()


def two_people_chat(address: str) -> None:
    """Have one say something over the socket and the other hear it."""
    ann, bob = Caller.registered(address, "ann"), Caller.registered(address, "bob")
    room = ann.group("private", bob)

    async def chat() -> None:
        async with greeted(address, ann.token) as one, greeted(address, bob.token) as other:
            assert (await one.ask("message.send", room=room, text="Tea?"))["type"] == "done"
            assert (await other.hear("message.sent"))["message"]["text"] == "Tea?"

    anyio.run(chat)


# --- The unit.


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing = "docs/operating/parley.service WAS NOT VERIFIED: there is no systemd-analyze"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    # systemd looks for the programs that a unit names.
    text = UNIT.read_text().replace("/srv/parley/.venv/bin/python", sys.executable)
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("/srv/parley", str(tmp_path)))
    done = subprocess.run(
        [str(program), "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert UNIT.name not in done.stderr


def test_the_unit_stops_the_first_process_and_waits_for_the_rest() -> None:
    """A worker that got the signal as well would be taken for one that died."""
    said = unit()
    assert said["KillMode"] == ["mixed"]
    assert int(said["TimeoutStopSec"][0]) > 11
    assert said["ExecStart"][0].endswith("-m project.server")
    assert (ROOT / "manage.py").exists()


# --- A platform: PORT, DATABASE_URL and REDIS_URL come from it.


def command(step: str) -> str:
    (found,) = re.findall(rf"^\| {step} \| `(.*)` \|$", PAGE, re.MULTILINE)
    return str(found)


def platform(database_url: str, redis_url: str, port: int) -> dict[str, str]:
    """Nothing but what the page names, and the interpreter of this run as `python`."""
    variables = {
        "PORT": str(port),
        "DATABASE_URL": database_url,
        "SECRET_KEY": token_urlsafe(64),
        "JWT_SIGNING_KEY": token_urlsafe(64),
        "ALLOWED_HOSTS": "chat.example.com",
        "FORWARDED_ALLOW_IPS": "127.0.0.0/8",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return {**variables, "REDIS_URL": redis_url} if redis_url else variables


def on_a_platform(environment: dict[str, str], log: Path) -> None:
    """Run the commands of the table; ask as the platform's router does."""
    build = command("build").partition(" && ")[2]
    static = {"STATIC_ROOT": str(log.parent / "static")}
    for step in (build, command("release")):
        done = subprocess.run(
            ["sh", "-c", step],
            cwd=ROOT,
            env={**environment, **static},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert (log.parent / "static" / "staticfiles.json").exists()
    # What follows the variable is one command, so that the platform's signal reaches it.
    variable, _, run = command("web").partition(" ")
    with log.open("wb") as output:
        process = subprocess.Popen(
            run.split(),
            cwd=ROOT,
            env={**environment, **static, **dict([variable.split("=")])},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        routed(Server(process, int(environment["PORT"]), log))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(GONE_WITHIN)


ROUTED = {
    "/readyz": ({}, 200),
    "/api/": ({"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}, 200),
    # Plain HTTP is for the router and for probes alone.
    "/": ({}, 301),
}


def routed(server: Server) -> None:
    """Ask as the platform's router does, until all is answered as it should be."""
    wanted = {path: status for path, (_, status) in ROUTED.items()}
    deadline = monotonic() + READY_WITHIN
    while (said := statuses(server)) != wanted:
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(timeout=0.1)
        alive = server.process.poll() is None and monotonic() < deadline
        assert alive, f"{said}\n{server.log.read_text()}"


def statuses(server: Server) -> dict[str, int]:
    said: dict[str, int] = {}
    # From another address than the usual one: the process must listen on all.
    connection = HTTPConnection("127.0.0.9", server.port, timeout=30)
    with closing(connection), suppress(OSError, HTTPException):
        for path, (headers, _) in ROUTED.items():
            connection.request("GET", path, headers={"Host": "chat.example.com", **headers})
            answer = connection.getresponse()
            answer.read()
            said[path] = answer.status
    return said


def test_the_variables_of_a_platform_are_enough(tmp_path: Path) -> None:
    environment = platform(f"sqlite:///{tmp_path / 'parley.sqlite3'}", "", free_port())
    on_a_platform(environment, tmp_path / "web.log")


# --- Migrations of one's own.


def test_a_host_with_migrations_of_its_own_chats(tmp_path: Path) -> None:
    (line,) = re.findall(r"`(MIGRATION_MODULES = .*?)`", PAGE)
    with new_project(tmp_path, {"settings.py": f"{line}\n"}, makemigrations="chat") as (address, _):
        two_people_chat(address)
    (own,) = (tmp_path / "mysite" / "chat_migrations").glob("0001_*.py")
    assert "chat_event_place" in own.read_text()


def test_the_chats_migrations_hold_no_data_that_a_host_would_miss() -> None:
    paths = (ROOT / "chat" / "migrations").glob("0*.py")
    by_hand = [p for p in paths if re.search(r"\bRunPython\(|\bRunSQL\(", p.read_text())]
    # The page tells what a host copies from it.
    assert [path.stem for path in by_hand] == ["0008_people_indexes"]
    assert all(f"`{path.stem}`" in PAGE for path in by_hand)


def test_the_page_links_what_is_there() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
