"""Whether the page that opens a socket is one of ours: cookies alone do not say so."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from chat.conf import chat_settings

DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]


def from_allowed_origin(handshake: HttpRequest) -> bool:
    """Say whether the handshake's one Origin is named in ``CHAT["ORIGINS"]``, or is the site's own where that is None.

    Scheme, host and port must all be the same. Missing, ``null`` or doubled, it is not.
    """
    # A doubled header arrives joined by a comma, which no origin has.
    asked = _origin(handshake.headers.get("Origin", ""))
    if asked is None:
        return False
    named = chat_settings.ORIGINS
    if named is not None:
        return asked in {_origin(one) for one in named}
    try:
        # The host is one of ALLOWED_HOSTS here, or this raises; the scheme is what a trusted proxy says.
        return asked == _origin(f"{handshake.scheme}://{handshake.get_host()}")
    except DisallowedHost:
        return False


def _origin(text: str) -> Origin | None:
    """Return scheme, host and port of what is exactly an origin, else None."""
    try:
        parts = urlsplit(text)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    exact = f"{parts.scheme}://{parts.netloc}".lower() == text.lower()
    if not exact or not parts.hostname or "@" in parts.netloc or "," in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port
