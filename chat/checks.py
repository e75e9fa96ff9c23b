"""What can be said before the first request: a misspelt setting, a path that will not import, a layer that forgets."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string

from chat.conf import DEFAULTS, IMPORTED

IN_MEMORY = "channels.layers.InMemoryChannelLayer"


@register("chat")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001: CHAT is no dict. E002: a key that is none of ours. E003: of another type. E004: will not import."""
    chat = getattr(settings, "CHAT", {})
    if not isinstance(chat, dict):
        return [Error("CHAT is not a dict.", id="chat.E001")]
    found: list[CheckMessage] = []
    for name, value in chat.items():
        if name not in DEFAULTS:
            found.append(_unknown(name))
        elif name in IMPORTED:
            found += _unimportable(name, value)
        elif not _like(value, DEFAULTS[name]):
            wanted = type(DEFAULTS[name]).__name__
            found.append(
                Error(
                    f"CHAT[{name!r}] is {value!r}, not a {wanted} as it should be.", id="chat.E003"
                )
            )
    return found


def _unknown(name: object) -> CheckMessage:
    nearest = get_close_matches(str(name), DEFAULTS, n=1, cutoff=0)
    hint = f"Did you mean {nearest[0]!r}?" if nearest else None
    return Error(f"CHAT has no setting {name!r}.", hint=hint, id="chat.E002")


def _unimportable(name: str, value: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for path in value if isinstance(value, (list, tuple)) else [value]:
        try:
            if isinstance(path, str):
                import_string(path)
        except ImportError as error:
            hint = str(error)
            found.append(
                Error(
                    f"CHAT[{name!r}] names {path!r}, which will not import.",
                    hint=hint,
                    id="chat.E004",
                )
            )
    return found


def _like(value: Any, default: Any) -> bool:
    """Say whether a value is of the default's type; a whole number also stands for seconds, and is above 0."""
    if default is None:
        return value is None or isinstance(value, (list, tuple))
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, (int, float)):
        wanted = (int, float) if isinstance(default, float) or default <= 60 else int
        return (
            isinstance(value, wanted)
            and not isinstance(value, bool)
            and (value > 0 or value == default)
        )
    return isinstance(value, type(default))


@register("chat", Tags.security, deploy=True)
def check_layer(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E005: sockets in production on a layer that other processes cannot hear."""
    chat = getattr(settings, "CHAT", {})
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    layer = layers.get(chat.get("CHANNEL_LAYER", DEFAULTS["CHANNEL_LAYER"]), {})
    if chat.get("OUTLETS") and layer.get("BACKEND", IN_MEMORY) == IN_MEMORY:
        hint = "Use channels_redis.pubsub.RedisPubSubChannelLayer, or keep to one server process."
        return [Error("The channel layer is in memory.", hint=hint, id="chat.E005")]
    return []
