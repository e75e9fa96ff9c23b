"""``CHAT`` itself: a misspelt setting, one of another type, a path that will not import, limits that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution
from django.utils.module_loading import import_string
from rest_framework.settings import api_settings

from chat.conf import DEFAULTS, IMPORTED, TOKENS
from chat.extras import remedy

# What uvicorn takes in one frame when nobody tells it otherwise.
SERVER_FRAME_MAX = 16 * 1024 * 1024
# Bytes of a character at most, and of what stands around a message's text and metadata.
CHARACTER_BYTES = 4
ENVELOPE = 1_024

LISTS = frozenset({"AUTHENTICATION", "ORIGINS", "OUTLETS", "PARAMETERS", "RESERVED_HANDLES"})
# Times in seconds, which may be fractions although their defaults are whole.
SECONDS = frozenset(
    {
        "BRIDGE_WAIT",
        "EXPIRING",
        "GAP_WAIT",
        "HEARTBEAT",
        "LEEWAY",
        "RECHECK",
        "REQUEST_WAIT",
        "TICK",
        "TICK_ALL",
    }
)
# A number that may be 0.
NONE_AT_ALL = frozenset({"LEEWAY", "PROXIES"})
# Values that may hold a key or a password.
SECRET = frozenset({"JWT", "LIMITS_STORAGE", "SIGNING_KEY", "VERIFYING_KEY"})


def said() -> dict[str, Any]:
    """Return ``CHAT`` over the defaults; nothing of it where it is no dict, which has a check of its own."""
    chat = getattr(settings, "CHAT", {})
    return {**DEFAULTS, **chat} if isinstance(chat, dict) else dict(DEFAULTS)


def names(setting: str, path: str) -> bool:
    """Say whether a list in ``CHAT`` has this path in it."""
    listed = said()[setting]
    return isinstance(listed, (list, tuple)) and path in listed


@register("chat")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001: CHAT is no dict. E002: a key that is none of ours. E003: of another type. E004: will not import."""
    chat = getattr(settings, "CHAT", {})
    if not isinstance(chat, dict):
        return [Error("CHAT is not a dict.", id="chat.E001")]
    tokens = chat.get("JWT", {})
    inner = _misfits(tokens, TOKENS, "CHAT['JWT']") if isinstance(tokens, dict) else ()
    return [*_misfits(chat, DEFAULTS, "CHAT"), *inner]


def _misfits(chosen: dict[Any, Any], known: dict[str, Any], where: str) -> Iterator[CheckMessage]:
    for name, value in chosen.items():
        if name not in known:
            yield _unknown(name, known, where)
        elif fault := _fault(name, value, known[name]):
            shown = f"of type {type(value).__name__}" if name in SECRET else repr(value)
            yield Error(f"{where}[{name!r}] is {shown}, {fault}.", id="chat.E003")
        elif name in IMPORTED:
            yield from _unimportable(name, value)


def _unknown(name: object, known: dict[str, Any], where: str) -> CheckMessage:
    nearest = get_close_matches(str(name).upper(), known, n=1, cutoff=0)
    hint = f"Did you mean {nearest[0]!r}?" if nearest else None
    return Error(f"{where} has no setting {name!r}.", hint=hint, id="chat.E002")


def _unimportable(name: str, value: Any) -> Iterator[CheckMessage]:
    for path in value if isinstance(value, (list, tuple)) else [value]:
        try:
            if isinstance(path, str):
                import_string(path)
        except ImportError as error:
            message = f"CHAT[{name!r}] names {path!r}, which will not import."
            yield Error(message, hint=_why(error), id="chat.E004")


def _why(error: ImportError) -> str:
    command = remedy(error)
    return f"{error}: {command}" if command and command not in str(error) else str(error)


def _fault(name: str, value: Any, default: Any) -> str | None:
    """Say how a value differs from what its setting takes, or return None."""
    if value is None:
        may_be_none = default is None or name.startswith("LIMIT_")
        return None if may_be_none else "but None is not allowed here"
    if name in LISTS:
        return None if isinstance(value, (list, tuple)) else "not a list"
    if name in IMPORTED:
        return None if isinstance(value, str) or callable(value) else "not a dotted path"
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "not True or False"
    if isinstance(default, timedelta):
        return _too_short(value)
    if isinstance(default, (int, float)):
        return _wrong_number(name, value)
    if isinstance(default, dict):
        return None if isinstance(value, dict) else "not a dict"
    return None if isinstance(value, str) else "not a string"


def _too_short(value: Any) -> str | None:
    if not isinstance(value, timedelta):
        return "not a timedelta"
    return None if value > timedelta(0) else "but must be greater than 0"


def _wrong_number(name: str, value: Any) -> str | None:
    fraction = name in SECONDS
    if isinstance(value, bool) or not isinstance(value, (int, float) if fraction else int):
        return "not a number" if fraction else "not a whole number"
    if name in NONE_AT_ALL:
        return None if value >= 0 else "but must not be below 0"
    return None if value > 0 else "but must be greater than 0"


@register("chat")
def check_authentication(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """E008: there is no way in."""
    chosen = said()["AUTHENTICATION"]
    if chosen or (chosen is None and api_settings.DEFAULT_AUTHENTICATION_CLASSES):
        return []
    hint = (
        "Name your DRF authentication classes, or"
        " 'chat.rest.auth.authentication.DeviceAuthentication'."
    )
    return [
        Error("CHAT['AUTHENTICATION'] is empty: nobody can sign in.", hint=hint, id="chat.E008")
    ]


@register("chat")
def check_limits(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E011, E012: the longest message fits no frame, or no request. W003: frames that no server takes."""
    limits = said()
    counted = ("TEXT_MAX", "METADATA_MAX", "FRAME_MAX", "BODY_MAX")
    if not all(isinstance(limits[name], int) for name in counted):
        return []
    found: list[CheckMessage] = []
    longest = limits["TEXT_MAX"] * CHARACTER_BYTES + limits["METADATA_MAX"] + ENVELOPE
    if longest > limits["FRAME_MAX"]:
        message = f"A message may have {longest} bytes, a frame {limits['FRAME_MAX']}."
        hint = "Raise CHAT['FRAME_MAX'], or lower CHAT['TEXT_MAX'] (four bytes each)."
        found.append(Error(message, hint=hint, id="chat.E011"))
    bodies = {
        "DATA_UPLOAD_MAX_MEMORY_SIZE": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        "CHAT['BODY_MAX']": limits["BODY_MAX"],
    }
    for name, body in bodies.items():
        if body is None or longest <= body:
            continue
        message = f"A message may have {longest} bytes, a request {body}."
        hint = f"Raise {name}, or lower CHAT['TEXT_MAX'] (four bytes each)."
        found.append(Error(message, hint=hint, id="chat.E012"))
    if limits["FRAME_MAX"] > SERVER_FRAME_MAX:
        message = f"CHAT['FRAME_MAX'] is above the {SERVER_FRAME_MAX} bytes that a server takes."
        hint = "Lower it, or start the server with a limit as high (uvicorn --ws-max-size)."
        found.append(Caution(message, hint=hint, id="chat.W003"))
    return found


@register("chat")
def check_page_sizes(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W016: a page that is longer by itself than anyone may ask for."""
    size, most = said()["PAGE_SIZE"], said()["PAGE_MAX"]
    if not (isinstance(size, int) and isinstance(most, int)) or size <= most:
        return []
    message = f"CHAT['PAGE_SIZE'] is {size}, above the {most} of CHAT['PAGE_MAX']."
    hint = "Lower CHAT['PAGE_SIZE'], or raise CHAT['PAGE_MAX']."
    return [Caution(message, hint=hint, id="chat.W016")]
