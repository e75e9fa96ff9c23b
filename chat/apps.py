"""Tells Django of the app and loads its checks."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """The chat, with the label that its tables and permissions carry."""

    name = "chat"
    verbose_name = "Chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import checks  # noqa: F401  (registers itself; models must be loaded first)
