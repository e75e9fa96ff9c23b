"""Each system check speaks when something is wrong, is silent when it is right, and stands in docs/checks.md."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.management import get_commands

from chat.checks import limits, security, stack
from chat.checks import settings as own
from chat.conf import DEFAULTS, TOKENS
from tests.check_cases import CASES, Case
from tests.check_settings import Settings, tokens

ROOT = Path(__file__).resolve().parent.parent


# No setting makes it speak; tests/queries/test_epoch.py has its case.
ASKED_OF_A_DATABASE = "chat.W018"


def named(case: Case) -> str:
    return f"{case.id}-{case.check.__name__}"


@pytest.fixture
def told(
    settings: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[..., list[CheckMessage]]:
    """What a check says of a host with these settings."""

    def ask(case: Case, chosen: Settings) -> list[CheckMessage]:
        monkeypatch.setattr(stack, "version", case.installed.__getitem__)
        monkeypatch.setattr(limits, "AVAILABLE", case.installed.get("limits") != "")
        request.addfinalizer(get_commands.cache_clear)
        for name, value in chosen.items():
            if name == "INSTALLED_APPS":
                # Django would import what is only pretended to be there.
                monkeypatch.setattr(stack, "settings", SimpleNamespace(INSTALLED_APPS=value))
            elif name == "APPS":
                settings.INSTALLED_APPS = value
                get_commands.cache_clear()
            else:
                setattr(settings, name, value)
        return case.check(None)

    return ask


pytestmark = [
    pytest.mark.once,
    pytest.mark.filterwarnings("ignore:Overriding setting DATABASES"),
]


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_wrong_setting_is_named(case: Case, told: Callable[..., list[CheckMessage]]) -> None:
    (said,) = told(case, case.wrong)
    assert said.id == f"chat.{case.id}"
    assert said.msg.endswith(".")
    assert case.hint in str(said.hint)
    assert case.id in ("E001", "E003", "E009") or said.hint


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_right_setting_is_not(case: Case, told: Callable[..., list[CheckMessage]]) -> None:
    assert told(case, case.right) == []


def test_a_safe_daphne_is_let_in(told: Callable[..., list[CheckMessage]]) -> None:
    (case,) = (each for each in CASES if each.id == "W004")
    case.installed["daphne"] = "4.2.2"
    try:
        assert told(case, case.wrong) == []
    finally:
        case.installed["daphne"] = "4.2.1"


def test_a_key_is_not_shown(told: Callable[..., list[CheckMessage]]) -> None:
    case = Case("E003", own.check_settings, tokens(SIGNING_KEY=b"not to be seen"), {})
    (said,) = told(case, case.wrong)
    assert "not to be seen" not in str(said)


FAULTS = {
    ("TICK", -1): "-1, but must be greater than 0",
    ("TICK", True): "True, not a number",
    ("TICK", "5"): "'5', not a number",
    ("PAGE_SIZE", 2.5): "2.5, not a whole number",
    ("PAGE_SIZE", 0): "0, but must be greater than 0",
    ("PROXIES", -1): "-1, but must not be below 0",
    ("REGISTRATION", 1): "1, not True or False",
    ("METRICS", 9100): "9100, not a string",
    ("LIMIT_WRITES", 600): "600, not a string",
    ("JWT", "secret"): "of type str, not a dict",
    ("LIMITS_STORAGE", b"redis://:secret@host"): "of type bytes, not a string",
    ("OUTLETS", None): "None, but None is not allowed here",
    ("ORIGINS", "https://example.org"): "'https://example.org', not a list",
    ("POLICY", 5): "5, not a dotted path",
}


@pytest.mark.parametrize(("setting", "value"), FAULTS)
def test_a_wrong_value_is_named_by_its_fault(
    told: Callable[..., list[CheckMessage]], setting: str, value: Any
) -> None:
    case = Case("E003", own.check_settings, {"CHAT": {setting: value}}, {})
    (said,) = told(case, case.wrong)
    assert said.msg == f"CHAT[{setting!r}] is {FAULTS[setting, value]}."


@pytest.mark.parametrize(
    "chosen",
    [
        {"TICK": 0.5, "TICK_ALL": 30},
        {"PROXIES": 0, "LIMIT_SOCKETS_PERSON": None},
        {"AUTHENTICATION": None, "METRICS": None, "POLICY": Case},
    ],
    ids=repr,
)
def test_a_right_value_is_let_in(
    told: Callable[..., list[CheckMessage]], chosen: dict[str, Any]
) -> None:
    assert told(Case("E003", own.check_settings, {}, {}), {"CHAT": chosen}) == []


def test_a_database_that_is_not_served_is_refused_before_the_first_migration(
    tmp_path: Path,
) -> None:
    file = tmp_path / "another.sqlite3"
    (tmp_path / "elsewhere.py").write_text(
        "from tests.settings import *\n"
        f"DATABASES = {{'default': {{'ENGINE': 'tests.another_backend', 'NAME': {str(file)!r}}}}}\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    for command in ("check", "migrate"):
        said = subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "elsewhere"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 1
        assert "(chat.E016) The chat cannot use DATABASES['default']: it is another." in said.stderr
        assert "Traceback" not in said.stderr
    # Django's own checks open the file; no table is made.
    assert not file.exists() or file.stat().st_size == 0


def test_what_is_no_dict_is_said_and_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("from tests.settings import *\nCHAT = []\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    said = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "broken"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "chat.E001" in said.stderr
    assert "Traceback" not in said.stderr


def in_the_code() -> set[str]:
    """The ids that the sources of the checks hold."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "chat/checks").glob("*.py")]
    texts = [node.value for tree in trees for node in ast.walk(tree) if is_text(node)]
    return {text for text in texts if re.fullmatch(r"chat\.[EW]\d{3}", text)}


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_every_check_has_a_case_and_a_line_in_the_docs() -> None:
    page = (ROOT / "docs/checks.md").read_text()
    lines = re.findall(r"^\| (chat\.[EW]\d{3}) \|", page, re.MULTILINE)
    assert lines == sorted(in_the_code())
    assert {f"chat.{case.id}" for case in CASES} | {ASKED_OF_A_DATABASE} == in_the_code()


def test_the_docs_say_which_are_for_deployment() -> None:
    page = (ROOT / "docs/checks.md").read_text()
    marked = set(re.findall(r"^\| (chat\.\w+) \|.*\| deploy \|$", page, re.MULTILINE))
    deploying = [stack.check_memory, security.check_shared_key, security.check_origins]
    deploying += [limits.check_counting, limits.check_counting_together]
    assert marked == {f"chat.{case.id}" for case in CASES if case.check in deploying}


@pytest.mark.parametrize(("known", "where"), [(DEFAULTS, "CHAT"), (TOKENS, "JWT")])
def test_every_default_is_let_in(
    told: Callable[..., list[CheckMessage]], known: dict[str, Any], where: str
) -> None:
    """A new setting whose default the check refuses is seen here."""
    chosen = known if where == "CHAT" else {"JWT": {**known, "SIGNING_KEY": "k" * 40}}
    assert told(Case("E003", own.check_settings, {}, {}), {"CHAT": chosen}) == []
