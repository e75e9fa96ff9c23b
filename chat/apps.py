"""Tells Django of the app and loads its checks."""

from django.apps import AppConfig, apps


class ChatConfig(AppConfig):
    """The chat, with the label that its tables and permissions carry."""

    name = "chat"
    verbose_name = "Chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth import get_user_model
        from django.db.models.signals import pre_delete

        from chat import checks  # noqa: F401  (registers itself; models must be loaded first)
        from chat.actions.accounts import account_deleted

        # A proxy of the user model sends the signal under its own name.
        for model in apps.get_models():
            if issubclass(model, get_user_model()):
                pre_delete.connect(account_deleted, sender=model, dispatch_uid="chat")
