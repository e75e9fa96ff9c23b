"""Who opens a socket: the same classes that sign in a REST request are asked, over the handshake's headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.settings import api_settings

from chat.actions.people import profile_for
from chat.conf import chat_settings
from chat.errors import TokenExpired, Unauthenticated
from chat.queries.people import Person

SUBPROTOCOL = "chat.v1"
BEARER = "bearer."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person and how they signed in; ``expires_at`` is in unix seconds, None where it does not end by itself."""

    viewer: Person
    device: str | None
    expires_at: float | None


def chosen_subprotocol(scope: dict[str, Any]) -> str | None:
    """Return what to accept of the offer: our own name, never the one that carries a token."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None


def offers_credentials(scope: dict[str, Any]) -> bool:
    """Say whether the handshake itself names anyone; if not, the first frame must."""
    header = any(name == b"authorization" for name, _ in scope["headers"])
    return header or _bearer(scope) is not None


def sign_in(scope: dict[str, Any], token: str | None = None) -> SignedIn:
    """Return who the token names, or the handshake's header or subprotocol.

    Raises Unauthenticated, TokenExpired.
    """
    request = Request(_handshake(scope, token or _bearer(scope)), authenticators=authenticators())
    try:
        user, auth = request.user, request.auth
    except APIException as error:
        expired = error.get_codes() == TokenExpired.code
        raise (TokenExpired() if expired else Unauthenticated(str(error.detail))) from None
    if not user or not user.is_authenticated:
        raise Unauthenticated()
    device = getattr(auth, "device", None)
    return SignedIn(profile_for(user), device and str(device), getattr(auth, "expires_at", None))


def authenticators() -> list[BaseAuthentication]:
    """Return who is asked, in order: the same as over REST."""
    chosen = chat_settings.AUTHENTICATION
    host: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    return [one() for one in (host if chosen is None else chosen)]


def _bearer(scope: dict[str, Any]) -> str | None:
    offered = (one for one in scope.get("subprotocols", ()) if one.startswith(BEARER))
    return next((one.removeprefix(BEARER) for one in offered), None)


def _handshake(scope: dict[str, Any], token: str | None) -> HttpRequest:
    """Return the handshake as a request that has nothing but its headers: no body, no session."""
    request = HttpRequest()
    request.method, request.path = "GET", scope["path"]
    for raw_name, value in scope["headers"]:
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        request.META[f"HTTP_{name}"] = value.decode("latin-1")
    if token is not None:
        request.META["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return request
