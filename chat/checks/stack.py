"""What the chat stands on: the layer between processes, the database, the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, router
from django.db.utils import load_backend

from chat.checks.settings import names, said
from chat.events import database
from chat.models import Event
from chat.queries.epoch import unreadable_marks

SOCKETS = "chat.outlets.sockets.deliver"
IN_MEMORY = "channels.layers.InMemoryChannelLayer"
CORE = "channels_redis.core."
REDIS = "channels_redis."
# Seconds that the core layer lets Redis keep a read waiting; redis-py 8 hangs up after as many.
BLOCKING = 5
SAFE_DAPHNE = (4, 2, 2)
# The vendors, in Django's words, whose SQL the chat writes by hand.
SERVED = frozenset({"postgresql", "sqlite"})
REFUSED = {"mysql": "MySQL or MariaDB", "oracle": "Oracle"}


def _layer() -> dict[str, Any]:
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    found: dict[str, Any] = layers.get(said()["CHANNEL_LAYER"], {})
    return found


def _serves_sockets() -> bool:
    return names("OUTLETS", SOCKETS)


@register("chat", Tags.security, deploy=True)
def check_memory(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E005: sockets in production on a layer that other processes cannot hear."""
    if _serves_sockets() and _layer().get("BACKEND") == IN_MEMORY:
        hint = "Use channels_redis.pubsub.RedisPubSubChannelLayer, or keep to one server process."
        return [Error("The channel layer is in memory.", hint=hint, id="chat.E005")]
    return []


@register("chat")
def check_layer(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E006: no such layer. E007: a layer whose idle sockets die. W001: a layer that may hang for ever."""
    if not _serves_sockets():
        return []
    layer = _layer()
    if not layer:
        alias = said()["CHANNEL_LAYER"]
        message = f"CHANNEL_LAYERS has no {alias!r}, which CHAT['CHANNEL_LAYER'] names."
        hint = f"Add CHANNEL_LAYERS = {{{alias!r}: {{'BACKEND': {IN_MEMORY!r}}}}}, or one on Redis."
        return [Error(message, hint=hint, id="chat.E006")]
    if not str(layer.get("BACKEND", "")).startswith(REDIS):
        return []
    return list(_about_redis(layer))


def _about_redis(layer: dict[str, Any]) -> Iterator[CheckMessage]:
    hosts = layer.get("CONFIG", {}).get("hosts") or [{}]
    timeouts = [host.get("socket_timeout", 0) if isinstance(host, dict) else 0 for host in hosts]
    core = layer["BACKEND"].startswith(CORE)
    # Not said is 5 s for redis-py 8, and for ever before; None is for ever in both.
    if core and _version("redis") >= (8,) and any(_hangs_up(each) for each in timeouts):
        message = f"With redis-py 8 and {layer['BACKEND']} every idle socket dies after 5 seconds."
        hint = (
            "Use channels_redis.pubsub.RedisPubSubChannelLayer, or give each host"
            f" a socket_timeout above {BLOCKING}."
        )
        yield Error(message, hint=hint, id="chat.E007")
    elif not all(timeouts):
        message = "A Redis that hangs would hold every sender: a host has no socket_timeout."
        hint = (
            "Write each host as {'address': …, 'socket_timeout': 3, 'socket_connect_timeout': 3}."
        )
        yield Caution(message, hint=hint, id="chat.W001")


def _hangs_up(timeout: float | None) -> bool:
    return timeout is not None and timeout <= BLOCKING


def _version(name: str) -> tuple[int, ...]:
    """Return an installed package's version, or nothing where it is absent."""
    try:
        parts = version(name).split(".")
    except PackageNotFoundError:
        return ()
    return tuple(int(part) for part in parts[:3] if part.isdigit())


@register("chat", Tags.database)
def check_database(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E009, E010: an alias that is not there, or that nothing leads to. E016: no PostgreSQL or SQLite. W002: SQLite
    that cannot wait.
    """
    alias = said()["DATABASE"]
    if alias is not None and alias not in settings.DATABASES:
        message = f"DATABASES has no {alias!r}, which CHAT['DATABASE'] names."
        return [Error(message, id="chat.E009")]
    if alias is not None and router.db_for_write(Event) != alias:
        message = f"No router sends the chat's tables to {alias!r}, which CHAT['DATABASE'] names."
        hint = "Put 'chat.routers.ChatRouter' first in DATABASE_ROUTERS."
        return [Error(message, hint=hint, id="chat.E010")]
    return _about_vendor(database()) or _about_sqlite(database())


def _about_vendor(alias: str) -> list[CheckMessage]:
    engine = str(settings.DATABASES.get(alias, {}).get("ENGINE", ""))
    vendor = _vendor(engine)
    if not vendor or vendor in SERVED:
        return []
    message = f"The chat cannot use DATABASES[{alias!r}]: it is {REFUSED.get(vendor, vendor)}."
    message += " The chat runs on PostgreSQL and SQLite only."
    hint = "Keep your database, and give the chat a PostgreSQL or SQLite of its own: DATABASES['chat'],"
    hint += " CHAT['DATABASE'] = 'chat' and 'chat.routers.ChatRouter' in DATABASE_ROUTERS."
    return [Error(message, hint=hint, id="chat.E016")]


def _vendor(engine: str) -> str:
    """Return the vendor of a database backend, or nothing where Django itself refuses the engine."""
    last = engine.rpartition(".")[2]
    if last in REFUSED:
        # Known without the driver, which need not be installed for this answer.
        return last
    try:
        return str(load_backend(engine).DatabaseWrapper.vendor) if last != "dummy" else ""
    except ImproperlyConfigured:
        return ""


def _about_sqlite(alias: str) -> list[CheckMessage]:
    chosen = settings.DATABASES.get(alias, {})
    immediate = str(chosen.get("OPTIONS", {}).get("transaction_mode", "")).upper() == "IMMEDIATE"
    if not str(chosen.get("ENGINE", "")).endswith(".sqlite3") or immediate:
        return []
    message = f"DATABASES[{alias!r}] is SQLite without IMMEDIATE transactions: two senders at once"
    message += " fail with 'database is locked'."
    hint = f"DATABASES[{alias!r}]['OPTIONS'] = {{'transaction_mode': 'IMMEDIATE'}}"
    return [Caution(message, hint=hint, id="chat.W002")]


@register("chat", Tags.database)
def check_marks(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """W018: a role that cannot tell that its PostgreSQL was restored or failed over."""
    alias = database()
    if alias not in (databases or ()):
        return []
    try:
        unreadable = unreadable_marks(alias)
    except (OperationalError, InterfaceError):
        # Whatever asked for this check will say so.
        return []
    message = f"The role of DATABASES[{alias!r}] cannot read {{}}: not every restore or failover is"
    message += " noticed, and cursors from before it may miss messages."
    hint = "GRANT EXECUTE ON FUNCTION {} TO its role, or run chat_epoch --renew after each."
    return [
        Caution(message.format(name), hint=hint.format(name), id="chat.W018") for name in unreadable
    ]


@register("chat", Tags.security)
def check_server(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W004: a Daphne that takes frames without end, and headers that are none."""
    if "daphne" not in settings.INSTALLED_APPS or not () < _version("daphne") < SAFE_DAPHNE:
        return []
    message = "This Daphne has CVE-2026-44545 and CVE-2026-44546."
    hint = "pip install 'daphne>=4.2.2', or serve with uvicorn."
    return [Caution(message, hint=hint, id="chat.W004")]
