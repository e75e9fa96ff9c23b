"""The tokens of a device: an access and a refresh token, which name it and nothing else.

The only file that knows simplejwt, and of it only the signing: how tokens are made is said by ``CHAT["JWT"]``
(:data:`chat.conf.TOKENS`), so that a host's own tokens may live longer, or under another key, in the same process.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from chat.conf import token_settings
from chat.errors import TokenExpired, Unauthenticated
from chat.extras import named

with named():
    from rest_framework_simplejwt.backends import TokenBackend
    from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

DEVICE = "sid"
KIND = "token_type"
ACCESS = "access"
REFRESH = "refresh"
# Seconds that the clocks of two servers may differ by.
LEEWAY = 60
# What the libraries let through when a claim, or the header before it, is not of the type they expect.
MISTYPED = (
    TypeError,
    LookupError,
    ValueError,
    AttributeError,
    ArithmeticError,
    OSError,
    RecursionError,
)


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
    refresh_jti = uuid4().hex
    return Pair(_signed(ACCESS, sid, uuid4().hex), _signed(REFRESH, sid, refresh_jti), refresh_jti)


def read_access(token: str) -> Claims:
    """Return what an access token says. Raises TokenExpired, Unauthenticated."""
    return _read(ACCESS, token)


def read_refresh(token: str) -> Claims:
    """Return what a refresh token says. Raises TokenExpired, Unauthenticated."""
    return _read(REFRESH, token)


def _signed(kind: str, sid: UUID, jti: str) -> str:
    now = int(time.time())
    ends = now + int(_lifetime(kind))
    return _backend().encode({KIND: kind, DEVICE: str(sid), "jti": jti, "iat": now, "exp": ends})


def _lifetime(kind: str) -> float:
    """Return for how many seconds a token of this kind is good."""
    lifetime: timedelta = token_settings()[f"{kind.upper()}_TOKEN_LIFETIME"]
    return lifetime.total_seconds()


def _read(kind: str, token: str) -> Claims:
    try:
        return _claims(kind, _backend().decode(token))  # type: ignore[arg-type]
    except TokenBackendExpiredToken:
        raise TokenExpired() from None
    except (TokenBackendError, *MISTYPED):
        raise Unauthenticated("This token is not valid.") from None


def _backend() -> TokenBackend:
    said = token_settings()
    return TokenBackend(
        said["ALGORITHM"],
        said["SIGNING_KEY"],
        said["VERIFYING_KEY"],
        audience=said["AUDIENCE"],
        issuer=said["ISSUER"],
        leeway=said["LEEWAY"],
    )


def _claims(kind: str, claims: dict[str, Any]) -> Claims:
    if claims.get(KIND) != kind:
        raise ValueError("a token of another kind")
    sid, jti = (_uuid(claims.get(name)) for name in (DEVICE, "jti"))
    # The library lets a token pass that names no end, or one after the end of the calendar.
    ends = datetime.fromtimestamp(int(claims["exp"]), UTC)
    if ends.timestamp() > time.time() + _lifetime(kind) + LEEWAY:
        # We never gave one that is good for so long, or would not any more.
        raise ValueError("lives too long")
    return Claims(sid, jti.hex, int(ends.timestamp()))


def _uuid(claim: Any) -> UUID:
    if not isinstance(claim, str):
        raise TypeError("an id is a string")
    return UUID(claim)
