"""The core needs Django, DRF and two small libraries: the wheel works where nothing else can be imported at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import wheel

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ["channels", "channels_redis", "rest_framework_simplejwt", "drf_spectacular", "jwt"]
EXTRAS += ["uvicorn", "websockets", "redis", "psycopg", "rich", "limits", "prometheus_client"]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run Python without site-packages: the wheel, what its metadata asks for, and the tests."""
    scratch = tmp_path_factory.mktemp("alone")
    core = wheel.beside(scratch / "core", *wheel.core_requirements())

    def python(*arguments: str, settings: str = "settings") -> subprocess.CompletedProcess[str]:
        return wheel.attempt(
            [sys.executable, "-P", "-S", *arguments],
            scratch,
            PYTHONPATH=os.pathsep.join(map(str, (wheel.unpacked(), core, ROOT))),
            DJANGO_SETTINGS_MODULE=f"tests.own_user.{settings}",
            OWN_USER_DATABASE=str(scratch / "alone.sqlite3"),
        )

    return python


def test_nothing_else_is_there(alone: Run) -> None:
    ask = (
        "import json, chat, importlib.util as u;"
        f"print(json.dumps([chat.__file__, [n for n in {EXTRAS} if u.find_spec(n)]]))"
    )
    where, found = json.loads(alone("-c", ask).stdout)
    assert Path(where).is_relative_to(wheel.unpacked())
    assert not found


def test_the_core_checks_migrates_and_talks(alone: Run) -> None:
    assert alone("-m", "django", "check", "--fail-level", "WARNING").returncode == 0
    assert alone("-m", "django", "migrate").returncode == 0
    told = alone("-m", "tests.own_user.story")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.splitlines()[-1])["registered"] == "dora"


@pytest.mark.parametrize("extra", ["websocket", "jwt"])
def test_a_door_without_its_package_names_the_extra(alone: Run, extra: str) -> None:
    said = alone("-m", "django", "check", settings="doors")
    assert said.returncode == 1
    assert "chat.E004" in said.stderr
    assert f"pip install 'django-parley[{extra}]'" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("chat.rest.auth.urls", "jwt"),
        ("chat.websocket.routing", "websocket"),
        ("chat.websocket.server", "server"),
    ],
)
def test_an_include_without_its_package_names_the_extra(
    alone: Run, module: str, extra: str
) -> None:
    opened = alone("-c", f"import django; django.setup(); import {module}")
    assert opened.stderr.strip().splitlines()[-1].endswith(f"pip install 'django-parley[{extra}]'")


def test_setting_up_asks_no_database(alone: Run) -> None:
    """F18: import and setup() open neither a database nor a network connection."""
    watch = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, _: seen.append(event)"
        " if event in ('sqlite3.connect', 'socket.connect') else None)\n"
        "import django\n"
        "django.setup()\n"
        "import chat.rest.urls, chat.events, chat.commands\n"
        "print(seen)\n"
        "from chat.models import Room\n"
        "try: Room.objects.exists()\n"
        "except Exception: pass\n"
        "print(seen)"
    )
    quiet, asked = alone("-c", watch).stdout.splitlines()
    assert quiet == "[]"
    # The ear is not deaf.
    assert asked == "['sqlite3.connect']"
