"""Parley in someone else's project: installed there from the wheel, beside settings that stay as they were."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import wheel

HOST = Path(__file__).resolve().parent / "host"


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """Where the host finds modules (the wheel, not this tree), and its database."""
    url = os.environ.get("DATABASE_URL", "")
    parts = urlsplit(url)
    if parts.scheme.startswith("postgres"):
        # Its test database is `test_` and this, and goes with those of the run.
        url = parts._replace(path=f"{parts.path}_host_{os.getpid()}").geturl()
    else:
        url = f"sqlite:///{tmp_path / 'host.sqlite3'}"
    return {
        "PYTHONPATH": os.pathsep.join(map(str, (wheel.unpacked(), HOST))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "mysite.settings",
        "HOST_DATABASE_URL": url,
        "HOST_CHAT_DATABASE": "",
    }


def python(*arguments: str) -> list[str]:
    # Without the current directory on the path, there is no other chat than the installed one.
    return [sys.executable, "-P", *arguments]


def test_the_chat_is_the_wheels(place: dict[str, str]) -> None:
    where = wheel.run(python("-c", "import chat; print(chat.__file__)"), HOST, **place).stdout
    assert Path(where).is_relative_to(wheel.unpacked())


def test_its_checks_are_silent_and_nothing_is_left_to_migrate(place: dict[str, str]) -> None:
    said = wheel.run(python("-m", "django", "check", "--fail-level", "WARNING"), HOST, **place)
    assert "no issues" in said.stdout
    command = ["makemigrations", "--check", "--dry-run", "chat", "accounts"]
    wheel.run(python("-m", "django", *command), HOST, **place)


def test_its_own_tests_pass(place: dict[str, str]) -> None:
    said = wheel.run(python("-m", "pytest", "-q", "-rA", str(HOST)), HOST, **place).stdout
    assert " passed" in said
    assert "skipped" not in said
    # The plugin came with the wheel: nothing of the host names it.
    assert "parley" not in "".join(path.read_text() for path in HOST.glob("conftest.py"))


def test_its_tests_pass_with_the_chat_in_a_database_of_its_own(
    place: dict[str, str], tmp_path: Path
) -> None:
    """Two SQLite files; or PostgreSQL for the host and SQLite for the chat."""
    place["HOST_CHAT_DATABASE"] = str(tmp_path / "chat.sqlite3")
    wheel.run(python("-m", "django", "check", "--fail-level", "WARNING"), HOST, **place)
    said = wheel.run(python("-m", "pytest", "-q", "-rA", str(HOST)), HOST, **place).stdout
    assert " passed" in said
    assert "skipped" not in said
