"""Settings that a check names, and others that it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.checks import CheckMessage

from chat.checks import doors, limits, security, stack
from chat.checks import settings as own
from tests.check_settings import (
    APART,
    APPS,
    CORE,
    DEFAULT,
    KEY,
    MEMORY,
    NO_RATES,
    PUBSUB,
    ROUTED,
    SECRET,
    SOCKETS,
    STATIC,
    Settings,
    chat,
    databases,
    layer,
    redis,
    tokens,
)


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
        "E012",
        own.check_limits,
        chat(BODY_MAX=20_000),
        chat(BODY_MAX=30_000),
        "Raise CHAT['BODY_MAX']",
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
        "W007",
        security.check_origins,
        {"CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://.*"], "CORS_ALLOW_CREDENTIALS": True},
        {
            "CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://\w+\.example\.org$"],
            "CORS_ALLOW_CREDENTIALS": True,
        },
    ),
    Case(
        "W008",
        security.check_origins,
        {"ALLOWED_HOSTS": ["*"]},
        {"ALLOWED_HOSTS": ["chat.example.org"]},
    ),
]

CASES += [
    Case("E002", own.check_settings, chat(authentication=[]), chat(), "'AUTHENTICATION'"),
    *(
        Case("E015", security.check_signing, tokens(ALGORITHM=name, SIGNING_KEY=KEY), tokens())
        for name in ("none", "RS256", "HS257")
    ),
    Case(
        "W010",
        doors.check_runserver,
        {**chat(**SOCKETS), "APPS": [STATIC, *(one for one in APPS if one != STATIC)]},
        {**chat(**SOCKETS), "APPS": APPS},
        "before 'django.contrib.staticfiles'",
    ),
    *(
        Case(
            "W011",
            doors.check_asgi,
            {**chat(**SOCKETS), "ASGI_APPLICATION": path},
            {**chat(**SOCKETS), "ASGI_APPLICATION": "project.asgi.application"},
            hint,
        )
        for path, hint in {
            None: "mysite.asgi.application",
            "tests.check_settings.PLAIN": "chat.websocket.routing",
            "tests.nowhere.application": "mysite.asgi.application",
        }.items()
    ),
    Case(
        "W012",
        doors.check_pages,
        {"APPS": [one for one in APPS if one != "rest_framework"]},
        {"APPS": APPS},
        "'rest_framework'",
    ),
    Case("W013", doors.check_outlets, {**layer(), **chat(OUTLETS=[])}, layer(), "sockets.deliver"),
    *(
        Case(
            "W014", security.check_own_origins, chat(ORIGINS=[wrong]), chat(ORIGINS=[right]), right
        )
        for wrong, right in {
            "chat.example.org": "https://chat.example.org",
            "http://chat.example.org:8000/": "http://chat.example.org:8000",
            "https://example.org/chat": "https://example.org",
            "https://*.example.org": "https://chat.example.org",
            "*": "https://chat.example.com",
        }.items()
    ),
    *(
        Case(
            "E016",
            stack.check_database,
            {**chat(), "DATABASES": {"default": {"ENGINE": engine}}},
            {**chat(), "DATABASES": DEFAULT},
            "CHAT['DATABASE'] = 'chat'",
        )
        for engine in (
            "django.db.backends.mysql",
            "django.contrib.gis.db.backends.oracle",
            "tests.another_backend",
        )
    ),
    # The alias of the chat counts, not the default one.
    Case(
        "E016",
        stack.check_database,
        {**chat(DATABASE="chat"), **ROUTED, "DATABASES": {**DEFAULT, **databases("chat", "mysql")}},
        {
            **chat(DATABASE="chat"),
            **ROUTED,
            "DATABASES": {**APART, **databases("default", "mysql")},
        },
    ),
    Case("W015", security.check_recheck, chat(RECHECK=5.5), chat(RECHECK=5), "= 3"),
    Case("W016", own.check_page_sizes, chat(PAGE_SIZE=101), chat(PAGE_SIZE=100), "'PAGE_MAX'"),
    Case(
        "W017",
        limits.check_counting_together,
        layer(PUBSUB),
        {**layer(PUBSUB), **chat(**SOCKETS, LIMITS_STORAGE="redis://127.0.0.1:6379")},
        "redis://",
    ),
    Case("W017", limits.check_counting_together, layer(PUBSUB), layer(MEMORY)),
]
