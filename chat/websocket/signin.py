"""Who opens a socket: the same classes that sign in a REST request are asked, over the handshake's headers.

They are asked again while it is open, unless what it rests on is looked at by itself (:mod:`chat.queries.grounds`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from math import ceil
from typing import Any
from urllib.parse import parse_qs

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.db import InterfaceError, OperationalError
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request

from chat.actions.people import profile_for
from chat.actions.tickets import use_ticket
from chat.conf import authenticators
from chat.errors import (
    LANGUAGE,
    ChatError,
    RateLimited,
    TokenExpired,
    Unauthenticated,
    Unavailable,
)
from chat.limits.basic import limited
from chat.queries.grounds import Grounds, ends_at, grounds_of, says_expired
from chat.queries.people import Person
from chat.websocket.origins import from_allowed_origin, refused_page

logger = logging.getLogger("chat.websocket.signin")

SUBPROTOCOL = "chat.v1"
# Seconds within which a socket that named nobody must say who it is.
AUTH_TIMEOUT = 5
BEARER = "bearer."
# More than any ticket is long, so that a query is never read for nothing.
QUERY_MAX = 512
# What browsers ask people for, and then remember.
REMEMBERED = {"basic", "digest", "negotiate", "ntlm"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Credentials:
    """What a socket showed: its handshake, the token of its first frame, and whether its cookies count.

    Kept in memory while the socket is open, to be shown again, and never logged.
    """

    scope: Mapping[str, Any]
    token: str | None = None
    cookies: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person and what lets them in; ``expires_at`` in unix seconds, None where it does not end by itself.

    ``credentials`` are those to be shown again, None where the grounds say all.
    """

    viewer: Person
    grounds: Grounds
    expires_at: float | None
    credentials: Credentials | None = None


class NamesNobody(Unauthenticated):
    """The handshake carries nothing that says who it is: the first frame may."""


def chosen_subprotocol(scope: Mapping[str, Any]) -> str | None:
    """Return what to accept of the offer: our own name, never the one that carries a token."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None


def sign_in(scope: Mapping[str, Any], token: str | None = None) -> SignedIn:
    """Return who the token names; without one, who the handshake does, by the first of these that it carries.

    An Authorization header or a bearer subprotocol, a ticket, whatever else the classes of
    ``CHAT["AUTHENTICATION"]`` look at, and cookies, these from an allowed Origin only.
    Raises Unauthenticated, TokenExpired, NamesNobody, Forbidden (cookies from elsewhere), and for a password
    RateLimited and Unavailable.
    """
    token = token or _bearer(scope)
    if token is not None or _names(scope, b"authorization"):
        shown = Credentials(scope, token)
        handshake = _handshake(shown)
        if _added_by_browser(handshake) and not from_allowed_origin(handshake):
            raise refused_page(handshake)
        found = _ask(shown)
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
    with_cookies = Credentials(scope, cookies=True)
    handshake = _handshake(with_cookies)
    allowed = from_allowed_origin(handshake)
    found = _ask(with_cookies if allowed else Credentials(scope))
    if found is not None:
        return found
    if not allowed and _names(scope, b"cookie") and _ask(with_cookies) is not None:
        raise refused_page(handshake)
    raise NamesNobody()


def still_in(asked: Iterable[tuple[Credentials, Grounds]]) -> dict[Credentials, Unauthenticated]:
    """Show the classes once more what they were shown, and return the refusals.

    What fails otherwise refuses nobody; OperationalError and InterfaceError are raised: nobody can be asked.
    """
    return {shown: why for shown, grounds in asked if (why := _refusal(shown, grounds))}


def _refusal(shown: Credentials, grounds: Grounds) -> Unauthenticated | None:
    try:
        request = _authenticated(shown)
        if request is not None and _is_same(request.user, grounds):
            return None
    except Unauthenticated as refusal:
        return refusal
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # A class of the host's that cannot tell: its message may quote what it was shown.
        logger.warning("a sign-in could not be asked again: %s", type(error).__name__)
        return None
    return Unauthenticated("This sign-in has ended.")


def _is_same(user: Any, grounds: Grounds) -> bool:
    if grounds.account is not None:
        return str(user.pk) == grounds.account
    return profile_for(user).pk == grounds.person


def _ask(shown: Credentials) -> SignedIn | None:
    """Return whom the classes see, or None. Raises Unauthenticated, TokenExpired, RateLimited, Unavailable."""
    request = _authenticated(shown)
    if request is None:
        return None
    user, auth = request.user, request.auth
    person = profile_for(user, auth)
    grounds = grounds_of(person, user, auth, getattr(request._request, "session", None))
    again = None if _is_watched(request, grounds) else shown
    return SignedIn(person, grounds, ends_at(auth), again)


def _is_watched(request: Request, grounds: Grounds) -> bool:
    """Say whether all that the class looked at is in the grounds; a class made of these may look at more."""
    by = type(request.successful_authenticator)
    if by is SessionAuthentication:
        return grounds.session is not None
    # A name and password stand as long as the account does, and are slow to look at again.
    return grounds.device is not None or by is BasicAuthentication


def _authenticated(shown: Credentials) -> Request | None:
    request = Request(_handshake(shown), authenticators=limited(authenticators()))
    # DRF takes the texts of refusals from the translations of the site's language.
    with translation.override(LANGUAGE):
        try:
            user = request.user
        except APIException as error:
            raise _refused(error) from None
    return request if user and user.is_authenticated else None


def _refused(error: APIException) -> ChatError:
    if says_expired(error):
        return TokenExpired()
    if isinstance(error, Throttled):
        wait = getattr(error, "wait", None)
        return RateLimited(retry_after=None if wait is None else ceil(wait))
    if error.status_code == Unavailable.status:
        return Unavailable()
    return Unauthenticated(str(error.detail) if isinstance(error.detail, str) else None)


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


def _handshake(shown: Credentials) -> ASGIRequest:
    """Return the handshake as a GET without body or query, since no token is read from a URL; it ``opens_socket``.

    Where its cookies count it has them, and so the host's session and its user, read when a class looks at them.
    """
    scope, token, cookies = shown.scope, shown.token, shown.cookies
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
