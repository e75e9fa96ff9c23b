"""Who opens a socket: the same classes that sign in a REST request are asked, over the handshake's headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.utils.functional import SimpleLazyObject
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from chat.actions.people import profile_for
from chat.actions.tickets import use_ticket
from chat.conf import authenticators
from chat.errors import Forbidden, TokenExpired, Unauthenticated
from chat.queries.grounds import Grounds, grounds_of
from chat.queries.people import Person
from chat.websocket.origins import from_allowed_origin

SUBPROTOCOL = "chat.v1"
BEARER = "bearer."
# More than any ticket is long, so that a query is never read for nothing.
QUERY_MAX = 512
# What browsers ask people for, and then remember.
REMEMBERED = {"basic", "digest", "negotiate", "ntlm"}
FOREIGN = (
    "What a browser sends by itself signs in only from this site's own pages. Sign in by token or ticket, "
    'or have this Origin named in CHAT["ORIGINS"].'
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person and what lets them in; ``expires_at`` in unix seconds, None where it does not end by itself."""

    viewer: Person
    grounds: Grounds
    expires_at: float | None


class NamesNobody(Unauthenticated):
    """The handshake carries nothing that says who it is: the first frame may."""


def chosen_subprotocol(scope: Mapping[str, Any]) -> str | None:
    """Return what to accept of the offer: our own name, never the one that carries a token."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None


def sign_in(scope: Mapping[str, Any], token: str | None = None) -> SignedIn:
    """Return who the token names; without one, who the handshake does, by the first of these that it carries.

    An Authorization header or a bearer subprotocol, a ticket, whatever else the classes of
    ``CHAT["AUTHENTICATION"]`` look at, and cookies, these from an allowed Origin only.
    Raises Unauthenticated, TokenExpired, NamesNobody, Forbidden (cookies from elsewhere).
    """
    token = token or _bearer(scope)
    if token is not None or _names(scope, b"authorization"):
        handshake = _handshake(scope, token)
        if _added_by_browser(handshake) and not from_allowed_origin(handshake):
            raise Forbidden(FOREIGN)
        found = _ask(handshake)
        if found is None:
            raise Unauthenticated()
        return found
    ticket = _ticket(scope)
    if ticket is not None:
        return SignedIn(*use_ticket(ticket))
    return _by_what_else_it_carries(scope)


def _added_by_browser(handshake: ASGIRequest) -> bool:
    """Say whether a browser sends this Authorization by itself, as it does a cookie: no script can on a socket."""
    scheme = handshake.headers.get("Authorization", "").partition(" ")[0].lower()
    return scheme in REMEMBERED and "Origin" in handshake.headers


def _by_what_else_it_carries(scope: Mapping[str, Any]) -> SignedIn:
    # A browser adds cookies whoever's page asks, so without a known Origin they count for nothing.
    with_cookies = _handshake(scope, cookies=True)
    allowed = from_allowed_origin(with_cookies)
    found = _ask(with_cookies if allowed else _handshake(scope))
    if found is not None:
        return found
    if not allowed and _names(scope, b"cookie") and _ask(with_cookies) is not None:
        raise Forbidden(FOREIGN)
    raise NamesNobody()


def _ask(handshake: ASGIRequest) -> SignedIn | None:
    """Return whom the classes see in a request, or None. Raises Unauthenticated, TokenExpired."""
    request = Request(handshake, authenticators=authenticators())
    try:
        user, auth = request.user, request.auth
    except APIException as error:
        expired = error.get_codes() == TokenExpired.code
        raise (TokenExpired() if expired else Unauthenticated(str(error.detail))) from None
    if not user or not user.is_authenticated:
        return None
    person = profile_for(user, auth)
    grounds = grounds_of(person, user, auth, getattr(handshake, "session", None))
    return SignedIn(person, grounds, getattr(auth, "expires_at", None))


def _names(scope: Mapping[str, Any], header: bytes) -> bool:
    return any(name == header for name, _ in scope["headers"])


def _bearer(scope: Mapping[str, Any]) -> str | None:
    offered = (one for one in scope.get("subprotocols", ()) if one.startswith(BEARER))
    return next((one.removeprefix(BEARER) for one in offered), None)


def _ticket(scope: Mapping[str, Any]) -> str | None:
    query = scope.get("query_string", b"")
    if len(query) > QUERY_MAX:
        return None
    return next(iter(parse_qs(query.decode("latin-1")).get("ticket", ())), None)


def _handshake(
    scope: Mapping[str, Any], token: str | None = None, *, cookies: bool = False
) -> ASGIRequest:
    """Return the handshake as a GET without body or query, since no token is read from a URL; it ``opens_socket``.

    With ``cookies`` it has them, and so the host's session and its user, read when a class looks at them.
    """
    headers = [(name, value) for name, value in scope["headers"] if cookies or name != b"cookie"]
    if token is not None:
        headers = [(name, value) for name, value in headers if name != b"authorization"]
        headers.append((b"authorization", f"Bearer {token}".encode("latin-1", "replace")))
    secure = scope.get("scheme") in {"wss", "https"}
    like_http = {
        "type": "http",
        "method": "GET",
        "scheme": "https" if secure else "http",
        "headers": headers,
        "query_string": b"",
    }
    request = ASGIRequest({**scope, **like_http}, BytesIO())
    request.opens_socket = True  # type: ignore[attr-defined]
    if apps.is_installed("django.contrib.sessions"):
        store = import_module(settings.SESSION_ENGINE).SessionStore
        request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        request.user = SimpleLazyObject(lambda: get_user(request))  # type: ignore[assignment]
    return request
