"""Keys and origins: what lets a stranger in, or lets one leak open two doors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as Caution

from chat.checks.settings import names, said
from chat.conf import derived_key, token_settings

TOKENS_BY = "chat.rest.auth.authentication.DeviceAuthentication"
# A shorter key for HS256 is weaker than the signature (RFC 7518, 3.2); fewer letters are no random ones.
KEY_BYTES = 32
KEY_LETTERS = 5

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
    anyone = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL")
    allows_all = any(getattr(settings, name, False) for name in anyone)
    if allows_all and getattr(settings, "CORS_ALLOW_CREDENTIALS", False):
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
