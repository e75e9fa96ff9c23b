"""Keys and origins: what lets a stranger in, or lets one leak open two doors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution

from chat.checks.settings import names, said
from chat.conf import derived_key, token_settings

SIGNING = find_spec("rest_framework_simplejwt") is not None
if SIGNING or TYPE_CHECKING:
    from rest_framework_simplejwt.backends import TokenBackend

TOKENS_BY = "chat.rest.auth.authentication.DeviceAuthentication"
# A shorter key for HS256 is weaker than the signature (RFC 7518, 3.2); fewer letters are no random ones.
KEY_BYTES = 32
KEY_LETTERS = 5
# Seconds within which a socket is to end after its sign-in.
PROMISED = 5
# What browsers send: scheme, host, port where it is not the scheme's own.
ORIGIN = re.compile(r"https?://[^/?#@,*\s]+", re.IGNORECASE)
# An origin that a pattern for sites of one's own does not match.
STRANGER = "https://a-stranger.invalid"

FRESH_KEY = 'python -c "import secrets; print(secrets.token_urlsafe(64))"'


def _signs() -> bool:
    return names("AUTHENTICATION", TOKENS_BY) and isinstance(said()["JWT"], dict)


@register("chat", Tags.security)
def check_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W006: a key that can be guessed."""
    if not _signs():
        return []
    found = token_settings()
    key = str(found["SIGNING_KEY"])
    if not str(found["ALGORITHM"]).startswith("HS"):
        return []
    if len(key.encode()) >= KEY_BYTES and len(set(key)) >= KEY_LETTERS:
        return []
    message = (
        f"The chat's tokens are signed with a key of {len(key.encode())} bytes that can be guessed."
    )
    hint = f"CHAT['JWT']['SIGNING_KEY'] wants {KEY_BYTES} random bytes: {FRESH_KEY}"
    return [Caution(message, hint=hint, id="chat.W006")]


@register("chat", Tags.security)
def check_signing(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E015: tokens that could not be signed, or not be read again."""
    if not _signs() or not SIGNING:
        return []
    found = token_settings()
    key, algorithm = found["SIGNING_KEY"], found["ALGORITHM"]
    try:
        backend = TokenBackend(algorithm, key, found["VERIFYING_KEY"])
        backend.decode(backend.encode({}))  # type: ignore[arg-type]
    except Exception as error:
        # Not in its own words, which may quote the key.
        message = f"CHAT['JWT'] signs no tokens by {algorithm!r}: {type(error).__name__}."
        hint = "ALGORITHM 'HS256' takes any long text as SIGNING_KEY; 'RS256', 'ES256' and the like take a"
        hint += (
            " private key in PEM, its public one as VERIFYING_KEY, and pip install cryptography."
        )
        return [Error(message, hint=hint, id="chat.E015")]
    return []


@register("chat", Tags.security, deploy=True)
def check_shared_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W005: who learns SECRET_KEY can sign in as anyone."""
    shared = _signs() and token_settings()["SIGNING_KEY"] in {settings.SECRET_KEY, derived_key()}
    if not shared:
        return []
    message = "The chat's tokens are signed with SECRET_KEY, or with a key made of it."
    hint = f"Give CHAT['JWT'] a SIGNING_KEY of its own: {FRESH_KEY}"
    return [Caution(message, hint=hint, id="chat.W005")]


@register("chat", Tags.security, deploy=True)
def check_origins(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W007: any page may ask as whoever visits it. W008: any host name is taken for ours."""
    found: list[CheckMessage] = []
    if _cors_allows_all() and getattr(settings, "CORS_ALLOW_CREDENTIALS", False):
        message = (
            "Every site may read the chat as whoever visits it: CORS allows all, with credentials."
        )
        hint = "Name your own sites in CORS_ALLOWED_ORIGINS."
        found.append(Caution(message, hint=hint, id="chat.W007"))
    if "*" in settings.ALLOWED_HOSTS:
        message = (
            "ALLOWED_HOSTS has '*': the host that a browser's Origin is held against is not known."
        )
        hint = "Name each host that this site answers to."
        found.append(Caution(message, hint=hint, id="chat.W008"))
    return found


def _cors_allows_all() -> bool:
    """Say whether django-cors-headers, as it is set up, lets any origin in."""
    switches = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL")
    if any(getattr(settings, name, False) for name in switches):
        return True
    patterns = getattr(settings, "CORS_ALLOWED_ORIGIN_REGEXES", ())
    return any(re.match(pattern, STRANGER) for pattern in patterns)


@register("chat", Tags.security)
def check_own_origins(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W014: an origin that no browser sends."""
    named = said()["ORIGINS"]
    return [
        Caution(
            f"CHAT['ORIGINS'] has {one!r}, which is no origin: it lets nobody in.",
            hint=f"Write {_nearest(one)!r}: scheme, host and port, and nothing after them.",
            id="chat.W014",
        )
        for one in (named if isinstance(named, (list, tuple)) else ())
        if not (isinstance(one, str) and ORIGIN.fullmatch(one))
    ]


def _nearest(origin: object) -> str:
    """Return the origin that was probably meant."""
    text = origin if isinstance(origin, str) else ""
    parts = urlsplit(text if "://" in text else f"https://{text.lstrip('/')}")
    host = parts.netloc.rpartition("@")[2].replace("*", "chat")
    known = parts.scheme in {"http", "https"} and ORIGIN.fullmatch(f"https://{host}")
    return f"{parts.scheme}://{host}" if known and "." in host else "https://chat.example.com"


@register("chat", Tags.security)
def check_recheck(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W015: a sign-in that has ended is seen later than is promised."""
    every = said()["RECHECK"]
    if not isinstance(every, (int, float)) or every <= PROMISED:
        return []
    message = (
        f"CHAT['RECHECK'] is {every}: sockets outlive their sign-in by more than {PROMISED} s."
    )
    return [Caution(message, hint="CHAT['RECHECK'] = 3, its default.", id="chat.W015")]
