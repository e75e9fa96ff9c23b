"""A sign-in of a host's own, as hosts write them: a key in a header of its own name."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request


class ApiKeyAuthentication(BaseAuthentication):
    """``X-Api-Key: key of <username>``."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        key = request.headers.get("X-Api-Key")
        if key is None:
            return None
        named = {get_user_model().USERNAME_FIELD: key.removeprefix("key of ")}
        user = get_user_model()._default_manager.filter(**named, is_active=True).first()
        if user is None or not key.startswith("key of "):
            raise AuthenticationFailed("There is no such key.")
        return user, None
