"""Where the chat's tables are: for a host that gives them a database of their own with ``CHAT["DATABASE"]``."""

from __future__ import annotations

from typing import Any

from django.db import router

from chat.conf import chat_settings

LABEL = "chat"


class ChatRouter:
    """Sends the chat's tables, and nothing else, to ``CHAT["DATABASE"]``; without it has no opinion.

    To stand first in ``DATABASE_ROUTERS``.
    """

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Return the chat's alias for its tables, and for an account the one that accounts are in."""
        return self._place(model, hints, router.db_for_read)

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """Return the same for writing."""
        return self._place(model, hints, router.db_for_write)

    def _place(self, model: Any, hints: dict[str, Any], ask: Any) -> str | None:
        alias: str | None = chat_settings.DATABASE
        if alias is None:
            return None
        if model._meta.app_label == LABEL:
            return alias
        instance = hints.get("instance")
        if instance is not None and instance._meta.app_label == LABEL:
            # Django would look for a profile's account where the profile is; without that word
            # it asks the host's routers, or takes the default.
            found: str = ask(model)
            return found
        return None

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool | None:
        """Let a profile name an account of another database: there is no constraint between the two."""
        return True if LABEL in {one._meta.app_label, other._meta.app_label} else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Make the chat's tables there, and no one else's."""
        alias: str | None = chat_settings.DATABASE
        if alias is None:
            return None
        if app_label == LABEL:
            return db == alias
        return False if db == alias != "default" else None
