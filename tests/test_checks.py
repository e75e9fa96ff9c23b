"""Each system check speaks when something is wrong, is silent when it is right, and stands in docs/checks.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import CheckMessage

from chat.checks import limits, security, stack
from chat.checks import settings as own

ROOT = Path(__file__).resolve().parent.parent
MEMORY = "channels.layers.InMemoryChannelLayer"
PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"
SOCKETS = {"OUTLETS": ["chat.outlets.sockets.deliver"]}
DEVICES = {"AUTHENTICATION": ["chat.rest.auth.authentication.DeviceAuthentication"]}
SECRET = "a secret of this site alone, long enough: 0123456789"
KEY = "a key for tokens alone, and long enough: 9876543210"
OPEN = {"AUTHENTICATION": ["rest_framework.authentication.SessionAuthentication"]}

# Settings that hold a rate, each switched off.
NO_RATES = {
    f"LIMIT_{name}": None
    for name in [
        "ACCOUNT",
        "ADDRESS",
        "REGISTER",
        "REFRESH",
        "WRITES",
        "GROUPS",
        "DIRECT",
        "FRAMES",
    ]
}

Settings = dict[str, Any]


def layer(backend: str = PUBSUB, alias: str = "default", *hosts: Any) -> Settings:
    """CHAT with sockets, and one layer."""
    layers = {alias: {"BACKEND": backend, "CONFIG": {"hosts": list(hosts)}}}
    return {"CHAT": {**SOCKETS, **OPEN}, "CHANNEL_LAYERS": layers}


def redis(timeout: float | None) -> Settings:
    return {"address": "redis://127.0.0.1:6379", "socket_timeout": timeout}


def chat(**values: Any) -> Settings:
    return {"CHAT": {**OPEN, **values}}


def tokens(**values: Any) -> Settings:
    return {"CHAT": {**DEVICES, "JWT": values}, "SIMPLE_JWT": {}, "SECRET_KEY": SECRET}


def databases(alias: str, engine: str = "sqlite3", **options: Any) -> Settings:
    return {alias: {"ENGINE": f"django.db.backends.{engine}", "OPTIONS": options}}


DEFAULT = databases("default", "postgresql")
ROUTED = {"DATABASE_ROUTERS": ["chat.routers.ChatRouter"]}
APART = {**DEFAULT, **databases("chat", "postgresql")}


@dataclass(frozen=True)
class Case:
    """Settings that a check names, others that it does not, and which packages are there."""

    id: str
    check: Callable[..., list[CheckMessage]]
    wrong: Settings
    right: Settings
    hint: str = ""
    installed: dict[str, str] = field(default_factory=dict)


SEVEN, EIGHT = {"redis": "7.4.1"}, {"redis": "8.1.0"}
CASES = [
    Case("E001", own.check_settings, {"CHAT": ["OUTLETS"]}, {"CHAT": {}}),
    Case("E002", own.check_settings, chat(OUTLET=[]), chat(OUTLETS=[]), "'OUTLETS'"),
    Case("E002", own.check_settings, tokens(ISUER="us"), tokens(ISSUER="us"), "'ISSUER'"),
    Case("E003", own.check_settings, chat(PAGE_SIZE="50"), chat(PAGE_SIZE=20)),
    Case("E003", own.check_settings, chat(TICK=0), chat(TICK=2.5)),
    Case("E003", own.check_settings, chat(REGISTRATION=1), chat(REGISTRATION=False)),
    Case("E003", own.check_settings, chat(DATABASE=1), chat(DATABASE=None)),
    Case("E003", own.check_settings, chat(OUTLETS="chat.events.encode"), chat(OUTLETS=())),
    Case(
        "E003",
        own.check_settings,
        tokens(ACCESS_TOKEN_LIFETIME=300),
        tokens(ACCESS_TOKEN_LIFETIME=timedelta(minutes=5)),
    ),
    Case("E004", own.check_settings, chat(POLICY="chat.no.Policy"), chat(), "No module named"),
    Case("E005", stack.check_memory, layer(MEMORY), layer(PUBSUB), "one server process"),
    Case("E005", stack.check_memory, layer(MEMORY), {**layer(MEMORY), **chat()}),
    Case("E006", stack.check_layer, layer(MEMORY, "other"), layer(MEMORY), "CHANNEL_LAYERS = {"),
    Case("E006", stack.check_layer, {**layer(), "CHANNEL_LAYERS": {}}, layer(MEMORY)),
    Case("E007", stack.check_layer, layer(CORE), layer(PUBSUB, "default", redis(3)), "", EIGHT),
    Case(
        "E007",
        stack.check_layer,
        layer(CORE, "default", redis(5)),
        layer(CORE, "default", redis(15)),
        "above 5",
        EIGHT,
    ),
    Case(
        "W001", stack.check_layer, layer(), layer(PUBSUB, "default", redis(3)), "'socket_t", EIGHT
    ),
    Case(
        "W001",
        stack.check_layer,
        layer(PUBSUB, "default", redis(3), "redis://127.0.0.1"),
        layer(PUBSUB, "default", redis(3), redis(3)),
    ),
    Case("W001", stack.check_layer, layer(CORE), layer(CORE, "default", redis(15)), "", SEVEN),
    Case("E008", own.check_authentication, chat(AUTHENTICATION=[]), chat(AUTHENTICATION=None)),
    Case(
        "E009",
        stack.check_database,
        {**chat(DATABASE="chta"), **ROUTED, "DATABASES": APART},
        {**chat(DATABASE="chat"), **ROUTED, "DATABASES": APART},
    ),
    Case(
        "E010",
        stack.check_database,
        {**chat(DATABASE="chat"), "DATABASES": APART},
        {**chat(DATABASE="chat"), **ROUTED, "DATABASES": APART},
        "chat.routers.ChatRouter",
    ),
    Case("E003", own.check_settings, chat(LIMIT_WRITES=600), chat(LIMIT_WRITES=None)),
    Case(
        "E003",
        own.check_settings,
        chat(LIMIT_SOCKETS_PERSON=0),
        chat(LIMIT_SOCKETS_PERSON=None),
    ),
    Case(
        "E013",
        limits.check_rates,
        chat(LIMIT_WRITES="60/mintue"),
        chat(LIMIT_WRITES="60/minute", LIMIT_FRAMES="", LIMIT_GROUPS=None),
        "'60/minute'",
    ),
    Case("E013", limits.check_rates, chat(LIMIT_FRAMES="0/second"), chat(), "'300/10 seconds'"),
    Case(
        "E013",
        limits.check_rates,
        chat(LIMIT_ACCOUNT="9 in 2 minutes; 20/hour"),
        chat(LIMIT_ACCOUNT="9/2 minutes"),
        "'9/2 minutes'",
    ),
    Case(
        "E014",
        limits.check_store,
        chat(LIMITS_STORAGE="redsi://:word@host"),
        chat(LIMITS_STORAGE="redis://host:6379"),
        "redis://host:6379/0",
    ),
    Case(
        "W009",
        limits.check_counting,
        chat(),
        chat(**NO_RATES),
        "[limits]",
        {"limits": ""},
    ),
    Case("E011", own.check_limits, chat(FRAME_MAX=20_000), chat(TEXT_MAX=2_000, FRAME_MAX=20_000)),
    Case(
        "E012",
        own.check_limits,
        {**chat(), "DATA_UPLOAD_MAX_MEMORY_SIZE": 20_000},
        {**chat(), "DATA_UPLOAD_MAX_MEMORY_SIZE": None},
    ),
    Case(
        "W002",
        stack.check_database,
        {**chat(), "DATABASES": databases("default")},
        {**chat(), "DATABASES": databases("default", transaction_mode="IMMEDIATE")},
        "'transaction_mode': 'IMMEDIATE'",
    ),
    Case("W003", own.check_limits, chat(FRAME_MAX=2**25), chat(FRAME_MAX=2**24), "--ws-max-size"),
    Case(
        "W004",
        stack.check_server,
        {"INSTALLED_APPS": ["daphne"]},
        {"INSTALLED_APPS": ["chat"]},
        "4.2.2",
        {"daphne": "4.2.1"},
    ),
    Case("W005", security.check_shared_key, tokens(), tokens(SIGNING_KEY=KEY), "of its own"),
    Case(
        "W005",
        security.check_shared_key,
        {**tokens(), "SIMPLE_JWT": {"SIGNING_KEY": SECRET}},
        {**tokens(), "SIMPLE_JWT": {"SIGNING_KEY": KEY}},
    ),
    Case("W005", security.check_shared_key, tokens(SIGNING_KEY=SECRET), chat()),
    Case("W006", security.check_key, tokens(SIGNING_KEY="secret"), tokens(), "32 random bytes"),
    Case("W006", security.check_key, tokens(SIGNING_KEY="a" * 64), tokens(SIGNING_KEY=KEY)),
    Case(
        "W007",
        security.check_origins,
        {"CORS_ALLOW_ALL_ORIGINS": True, "CORS_ALLOW_CREDENTIALS": True},
        {"CORS_ALLOW_ALL_ORIGINS": True},
    ),
    Case(
        "W008",
        security.check_origins,
        {"ALLOWED_HOSTS": ["*"]},
        {"ALLOWED_HOSTS": ["chat.example.org"]},
    ),
]


def named(case: Case) -> str:
    return f"{case.id}-{case.check.__name__}"


@pytest.fixture
def told(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[CheckMessage]]:
    """What a check says of a host with these settings."""

    def ask(case: Case, chosen: Settings) -> list[CheckMessage]:
        monkeypatch.setattr(stack, "version", case.installed.__getitem__)
        monkeypatch.setattr(limits, "AVAILABLE", case.installed.get("limits") != "")
        for name, value in chosen.items():
            if name == "INSTALLED_APPS":
                # Django would import what is only pretended to be there.
                monkeypatch.setattr(stack, "settings", SimpleNamespace(INSTALLED_APPS=value))
            else:
                setattr(settings, name, value)
        return case.check(None)

    return ask


pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")


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
    assert {f"chat.{case.id}" for case in CASES} == in_the_code()


def test_the_docs_say_which_are_for_deployment() -> None:
    page = (ROOT / "docs/checks.md").read_text()
    marked = set(re.findall(r"^\| (chat\.\w+) \|.*\| deploy \|$", page, re.MULTILINE))
    deploying = [stack.check_memory, security.check_shared_key, security.check_origins]
    deploying.append(limits.check_counting)
    assert marked == {f"chat.{case.id}" for case in CASES if case.check in deploying}
