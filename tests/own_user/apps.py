"""Names the host's app."""

from django.apps import AppConfig


class OwnUserConfig(AppConfig):
    name = "tests.own_user"
    label = "own_user"
    default_auto_field = "django.db.models.BigAutoField"
