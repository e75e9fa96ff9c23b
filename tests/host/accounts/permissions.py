"""Whom the host serves."""

from typing import Any

from rest_framework.permissions import IsAuthenticated


class PaysUs(IsAuthenticated):
    """The host serves who pays; the chat does not ask."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.pays
