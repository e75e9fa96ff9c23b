"""``LIMIT_…`` and where they are counted: rates that are none, a store that cannot be had, nothing to count with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution

from chat.checks.settings import said
from chat.checks.stack import REDIS
from chat.conf import DEFAULTS
from chat.limits import AVAILABLE

if AVAILABLE or TYPE_CHECKING:
    from chat.limits import store

UNITS = ("second", "minute", "hour", "day", "month", "year")
# The library would read the first of several rates, and say nothing of the rest.
SEVERAL = re.compile("[,;|]")


def _rates() -> Iterator[tuple[str, str]]:
    """Give the settings that hold a rate, and the default of each."""
    for name, default in DEFAULTS.items():
        if name.startswith("LIMIT_") and isinstance(default, str):
            yield name, default


@register("chat")
def check_rates(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E013: a limit that is no rate."""
    if not AVAILABLE:
        return []
    chosen = said()
    return [
        Error(
            f"CHAT[{name!r}] is {text!r}, which is no rate.",
            hint=f'Write {_nearest(text, default)!r}, or "" for no limit.',
            id="chat.E013",
        )
        for name, default in _rates()
        if isinstance(text := chosen[name], str) and text and not _is_rate(text)
    ]


def _is_rate(text: str) -> bool:
    try:
        return store.parsed(text).amount > 0 and not SEVERAL.search(text)
    except ValueError:
        return False


def _nearest(text: str, default: str) -> str:
    """Return the rate that was probably meant, or the default."""
    words = re.findall("[a-z]+", text.lower())
    unit = next((near[0] for word in words if (near := get_close_matches(word, UNITS, 1))), None)
    amount, *rest = [*re.findall(r"\d+", SEVERAL.split(text)[0]), ""][:2]
    if unit is None or not amount.strip("0"):
        return default
    several = rest[0] if rest and rest[0].strip("0") else ""
    return f"{amount}/{several} {unit}s" if several else f"{amount}/{unit}"


@register("chat")
def check_store(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E014: a store that cannot be had. It is not asked whether it is there."""
    uri = said()["LIMITS_STORAGE"]
    if not AVAILABLE or not isinstance(uri, str) or uri == DEFAULTS["LIMITS_STORAGE"]:
        return []
    try:
        store.storage_at(uri)
    except (store.ConfigurationError, ValueError):
        # Neither is shown: the address may have a password in it, and the library quotes it.
        message = "CHAT['LIMITS_STORAGE'] names a store that cannot be had."
        hint = "Write 'redis://host:6379/0', with pip install 'django-parley[limits,redis]', or"
        hint += " 'memory://'."
        return [Error(message, hint=hint, id="chat.E014")]
    return []


@register("chat", Tags.security, deploy=True)
def check_counting_together(
    app_configs: Sequence[AppConfig] | None, **kwargs: object
) -> list[CheckMessage]:
    """W017: several processes, as a Redis between them says, each of which counts by itself."""
    chosen = said()
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    backend = str(layers.get(chosen["CHANNEL_LAYER"], {}).get("BACKEND", ""))
    alone = str(chosen["LIMITS_STORAGE"]).startswith("memory")
    if not (AVAILABLE and alone and backend.startswith(REDIS)):
        return []
    message = "The layer is on Redis and limits are counted in the memory of each process:"
    message += " as often as there are processes a password may be guessed."
    hint = "CHAT['LIMITS_STORAGE'] = 'redis://…', the Redis of the layer."
    return [Caution(message, hint=hint, id="chat.W017")]


@register("chat", Tags.security, deploy=True)
def check_counting(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """W009: limits, and nothing to count them with."""
    chosen = said()
    if AVAILABLE or not any(chosen[name] for name, _ in _rates()):
        return []
    hint = "pip install 'django-parley[limits]', or set LIMIT_WRITES and the others to None."
    return [Caution("Without the package limits nothing is counted.", hint=hint, id="chat.W009")]
