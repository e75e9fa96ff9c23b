"""Handles: which are reserved, and when the handle of a deleted account is free again."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from chat.conf import chat_settings
from chat.models import Profile
from chat.queries.people import by_handle

RESERVED = "This name is reserved."
_SIGNS = str.maketrans("", "", "_.- @")


def is_reserved(name: str) -> bool:
    """Say whether a name claims an office or reads like a keyword (``CHAT["RESERVED_HANDLES"]``)."""
    return _plain(name) in map(_plain, chat_settings.RESERVED_HANDLES or ())


def _plain(name: str) -> str:
    return name.lower().translate(_SIGNS)


def is_taken(username: str) -> bool:
    """Say whether somebody has the handle, or a deleted account still holds it."""
    held = by_handle(username).first()
    return held is not None and not _is_over(held)


def release_handle(username: str) -> None:
    """Free a handle that a deleted account has held for ``CHAT["HANDLE_HOLD"]``.

    It is freed when somebody asks for it, so that no job has to run.
    """
    held = by_handle(username).first()
    if held is not None and _is_over(held):
        held.username = f"deleted-{held.pk.hex}"
        held.save(update_fields=["username"])


def _is_over(held: Profile) -> bool:
    if held.deleted_at is None:
        return False
    until: datetime = held.deleted_at + chat_settings.HANDLE_HOLD
    return until <= timezone.now()
