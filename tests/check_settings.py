"""Settings of a project, in the short form that the cases of the checks are written in."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.handlers.asgi import ASGIHandler

MEMORY = "channels.layers.InMemoryChannelLayer"
PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"
SOCKETS = {"OUTLETS": ["chat.outlets.sockets.deliver"]}
DEVICES = {"AUTHENTICATION": ["chat.rest.auth.authentication.DeviceAuthentication"]}
SECRET = "a secret of this site alone, long enough: 0123456789"
KEY = "a key for tokens alone, and long enough: 9876543210"
OPEN = {"AUTHENTICATION": ["rest_framework.authentication.SessionAuthentication"]}

PLAIN = ASGIHandler()
APPS = list(django_settings.INSTALLED_APPS)
STATIC = "django.contrib.staticfiles"

# Settings that hold a rate, each switched off.
NO_RATES = {
    f"LIMIT_{name}": None
    for name in [
        "ACCOUNT",
        "ADDRESS",
        "REGISTER",
        "REFRESH",
        "WRITES",
        "READS",
        "READS_ADDRESS",
        "GROUPS",
        "DIRECT",
        "JOINS",
        "CHANGES",
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
