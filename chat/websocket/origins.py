"""Whether the page that opens a socket is one of ours: cookies alone do not say so."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from chat.conf import chat_settings
from chat.errors import Forbidden
from chat.limits.addresses import network_of
from chat.security_log import RepeatFilter

logger = logging.getLogger("chat.websocket.origins")

# Characters of a foreign origin in the log.
ORIGIN_MAX = 200
FOREIGN = (
    "The Origin of this page is not allowed. Cookies and passwords that a browser adds by itself "
    "sign in only from this site's own pages. Sign in by token or ticket."
)
DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]

# Addresses whose foreign page was logged a moment ago.
foreign_pages = RepeatFilter()


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


def refused_page(handshake: HttpRequest) -> Forbidden:
    """Return the refusal of a page of another origin; log the origin once a minute for each address."""
    # The person is not told of settings: only the operator can change them.
    if foreign_pages.repeats((network_of(handshake),)) is not None:
        origin = handshake.headers.get("Origin", "")[:ORIGIN_MAX]
        logger.warning("refused a page from %r, which CHAT['ORIGINS'] does not name", origin)
    return Forbidden(FOREIGN)


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
