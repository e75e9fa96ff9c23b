"""Any user model will do: a child process lives with one that has a UUID, an address, and no user name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.own_user.settings",
        "OWN_USER_DATABASE": str(tmp_path_factory.mktemp("own_user") / "own_user.sqlite3"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.own_user.story"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_people_sign_up_by_address(told: dict[str, Any]) -> None:
    assert told["key"] == "UUID"
    assert told["registered"] == "dora"
    assert told["signs in"]


def test_an_address_is_asked_for_and_is_one_persons(told: dict[str, Any]) -> None:
    assert told["without address"] == "invalid: email"
    assert told["name taken"] == "conflict: username"
    assert told["address taken"] == "conflict: email"
    assert told["both taken"] == "conflict: username, email"
    assert told["nameless"].startswith("user-")
    assert told["people"] == 3


def test_an_account_has_one_profile(told: dict[str, Any]) -> None:
    assert told["found by account"]
    assert told["same again"]
    assert told["has a hash"]


@pytest.mark.parametrize("part", ["dora.day", "day", "secret", "example", "@"])
def test_nothing_of_the_address_is_shown(told: dict[str, Any], part: str) -> None:
    assert part not in told["handle"]
    assert part not in told["shown"]


def test_the_person_outlives_the_account(told: dict[str, Any]) -> None:
    assert told["account after"] is None
    assert told["sender after"] == told["profile"]
