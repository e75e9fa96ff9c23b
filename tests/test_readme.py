"""The README's way into an existing project, word for word: from ``startproject`` to two people who chat."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic
from types import MappingProxyType

import anyio
import pytest

from tests import wheel
from tests.live.processes import READY_WITHIN, free_port
from tests.websocket.wire import Caller, greeted

ROOT = Path(__file__).resolve().parent.parent
LINES = 12

PYTHON = [sys.executable, "-P"]


def blocks() -> dict[str, str]:
    """The code that the README says to add, by file."""
    told = (ROOT / "README.md").read_text().partition("## Into an existing project")[2]
    found = re.findall(r"^At the end of `(\w+\.py)`:\n\n```python\n(.*?)```", told, re.M | re.S)
    return dict(found)


def start(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the server answers."""
    deadline = monotonic() + READY_WITHIN
    while monotonic() < deadline:
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=READY_WITHIN)) as connection:
                connection.request("GET", "/api/")
                connection.getresponse().read()
        except OSError:
            try:
                process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        else:
            return
    pytest.fail(f"the new project does not serve:\n{log.read_text()}")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A new project with the README's lines in it, served by its own runserver."""
    with new_project(tmp_path_factory.mktemp("stranger")) as (address, _):
        yield address


@contextmanager
def new_project(
    place: Path, more: Mapping[str, str] = MappingProxyType({}), makemigrations: str = ""
) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve a new project with the README's lines and ``more`` in it; yield address and environment."""
    environment = {"PYTHONPATH": f"{wheel.unpacked()}{os.pathsep}{place}"}
    environment["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
    wheel.run([*PYTHON, "-m", "django", "startproject", "mysite", str(place)], **environment)
    for name, added in (*blocks().items(), *more.items()):
        with (place / "mysite" / name).open("a") as file:
            file.write(added)
    wheel.run([*PYTHON, "manage.py", "check", "--fail-level", "WARNING"], place, **environment)
    if makemigrations:
        wheel.run([*PYTHON, "manage.py", "makemigrations", makemigrations], place, **environment)
    wheel.run([*PYTHON, "manage.py", "migrate"], place, **environment)
    port, log = free_port(), place / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*PYTHON, "manage.py", "runserver", "--noreload", str(port)],
            cwd=place,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        start(process, port, log)
        yield f"127.0.0.1:{port}", environment
    finally:
        process.terminate()
        process.wait(READY_WITHIN)


def test_it_is_a_dozen_lines() -> None:
    lines = [line for code in blocks().values() for line in code.splitlines() if line.strip()]
    assert set(blocks()) == {"settings.py", "urls.py", "asgi.py"}
    assert len(lines) == LINES


def test_two_people_chat(address: str) -> None:
    ann, bob = Caller.registered(address, "ann"), Caller.registered(address, "bob")
    room = ann.group("private", bob)

    async def chat() -> None:
        async with greeted(address, ann.token) as one, greeted(address, bob.token) as other:
            said = await one.ask("message.send", room=room, text="Two cups, please.")
            assert said["type"] == "done"
            heard = await other.hear("message.sent")
            assert heard["message"]["text"] == "Two cups, please."

    anyio.run(chat)


def test_the_docs_name_tests_that_are_there() -> None:
    named = set(re.findall(r"(?<!def )\btest_\w+", (ROOT / "docs/hosting.md").read_text()))
    code = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    there = set(re.findall(r"\bdef (test_\w+)", code))
    there |= {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert named
    assert named <= there
