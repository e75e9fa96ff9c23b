"""The login of Django's admin, where a password opens every door at once, counts wrong ones as the API does."""

from __future__ import annotations

from django.contrib.admin import AdminSite

from chat.conf import chat_settings
from chat.limits import AVAILABLE

if AVAILABLE:
    from chat.limits.logins import limited_login


def count_wrong_passwords(site: AdminSite) -> None:
    """Have a site's login count, unless ``CHAT["ADMIN_LOGIN"]`` says no or nothing can count."""
    if AVAILABLE and chat_settings.ADMIN_LOGIN:
        # In the instance: urls are made of it later, wherever the host has put them.
        site.login = limited_login(site.login)  # type: ignore[method-assign, assignment]
