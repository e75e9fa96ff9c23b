"""Who a bearer token speaks for: the same answer to a request and to a socket's handshake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from chat.actions.devices import touch_device
from chat.errors import Unauthenticated
from chat.queries.grounds import auth_hash_of
from chat.queries.people import Person, living_device
from chat.rest.auth.tokens import read_access

ENDED = "This sign-in has ended."


@dataclass(frozen=True, slots=True)
class SignIn:
    """What ``request.auth`` is: the device that asks, whose it is, and until when its token is good (unix seconds)."""

    device: UUID
    person: Person
    expires_at: int


class DeviceAuthentication(BaseAuthentication):
    """``Authorization: Bearer`` with the access token of a living device.

    Without the header it has no opinion. Raises AuthenticationFailed, whose code is the protocol's:
    ``unauthenticated`` or ``token_expired``.
    """

    def authenticate(self, request: Request) -> tuple[Any, SignIn] | None:
        scheme, _, token = get_authorization_header(request).strip().partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        try:
            device, user, sign_in = self.sign_in(token.strip().decode("latin-1"))
        except Unauthenticated as refusal:
            # Of DRF's own kind, because only after that does a request count as nobody's.
            raise AuthenticationFailed(refusal.detail, code=refusal.code) from None
        # Of a socket it is noted as long as it is open, and of all together.
        if not getattr(request._request, "opens_socket", False):
            touch_device(device)
        return user, sign_in

    def sign_in(self, token: str) -> tuple[Any, Any, SignIn]:
        """Return the device, the account and the sign-in that a token stands for. Raises Unauthenticated."""
        claims = read_access(token)
        device, user = living_account(claims.sid)
        return device, user, SignIn(claims.sid, device.profile, claims.expires_at)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def living_account(sid: UUID) -> tuple[Any, Any]:
    """Return a living device and its account.

    Raises Unauthenticated when the device was ended, the account is gone or not active, or its password is
    another than at sign-in.
    """
    device = living_device(sid)
    user: Any = device and _account(device)
    if device is None or user is None or not user.is_active:
        raise Unauthenticated(ENDED)
    if not constant_time_compare(device.auth_hash, auth_hash_of(user)):
        raise Unauthenticated(ENDED)
    return device, user


def _account(device: Any) -> Any:
    # The account has no constraint to hold it: it may be gone without our table knowing.
    try:
        user = device.profile.user
    except ObjectDoesNotExist:
        return None
    if user is not None:
        # A socket holds the person as long as it lives, and needs no account with its hash beside it.
        type(device.profile).user.field.delete_cached_value(device.profile)
    return user
