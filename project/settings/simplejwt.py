"""Tokens: signed with a key of their own, for this issuer and audience only."""

from datetime import timedelta
from typing import Any

from project.env import env, number, refuse, secret
from project.settings.django import SECRET_KEY

_key = secret("JWT_SIGNING_KEY", shortest=32)
if _key == SECRET_KEY:
    refuse("JWT_SIGNING_KEY", "must not be SECRET_KEY: who learns one would have both")

SIMPLE_JWT: dict[str, Any] = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": _key,
    "ISSUER": env.str("JWT_ISSUER", default="parley"),
    "AUDIENCE": env.str("JWT_AUDIENCE", default="parley"),
    "LEEWAY": 10,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=number("JWT_ACCESS_MINUTES", default=10, least=1)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=number("JWT_REFRESH_DAYS", default=30, least=1)),
}
