"""The tokens of a device: an access and a refresh token, which name it and nothing else.

The only file that knows simplejwt. What ``SIMPLE_JWT`` says of keys, lifetimes, issuer and audience holds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from chat.errors import TokenExpired, Unauthenticated

DEVICE = "sid"
# Seconds that the clocks of two servers may differ by.
LEEWAY = 60
# What the libraries let through when a claim, or the header before it, is not of the type they expect.
MISTYPED = (TypeError, ValueError, AttributeError, ArithmeticError, OSError, RecursionError)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says; ``expires_at`` in unix seconds."""

    sid: UUID
    jti: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A new pair of tokens, and the id of its refresh token."""

    access: str
    refresh: str
    refresh_jti: str

    def shape(self) -> dict[str, str]:
        """Return ``{access, refresh}``."""
        return {"access": self.access, "refresh": self.refresh}


def issue(sid: UUID) -> Pair:
    """Return fresh tokens of a device."""
    refresh = RefreshToken()
    refresh[DEVICE] = str(sid)
    return Pair(str(refresh.access_token), str(refresh), refresh[api_settings.JTI_CLAIM])


def read_access(token: str) -> Claims:
    """Return what an access token says. Raises TokenExpired, Unauthenticated."""
    return _read(AccessToken, token)


def read_refresh(token: str) -> Claims:
    """Return what a refresh token says. Raises TokenExpired, Unauthenticated."""
    return _read(RefreshToken, token)


def _read(kind: type[Token], token: str) -> Claims:
    try:
        return _claims(kind(token))  # type: ignore[arg-type]
    except ExpiredTokenError:
        raise TokenExpired() from None
    except (TokenError, *MISTYPED):
        raise Unauthenticated("This token is not valid.") from None


def _claims(token: Token) -> Claims:
    sid, jti = (_uuid(token.get(name)) for name in (DEVICE, api_settings.JTI_CLAIM))
    longest = token.lifetime.total_seconds() if token.lifetime else 0
    if token["exp"] > time.time() + longest + LEEWAY:
        # We never gave one that is good for so long, or would not any more.
        raise TokenError("lives too long")
    return Claims(sid, jti.hex, int(token["exp"]))


def _uuid(claim: Any) -> UUID:
    if not isinstance(claim, str):
        raise TypeError("an id is a string")
    return UUID(claim)
