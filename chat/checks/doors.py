"""Whether what is asked gets to the chat's doors: which runserver runs, what answers a socket, who draws a page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, register
from django.core.checks import Warning as Caution
from django.core.handlers.asgi import ASGIHandler
from django.core.management import get_commands
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from chat.checks.settings import names, said
from chat.checks.stack import SOCKETS

ROUTING = "chat.websocket.routing"


@register("chat")
def check_runserver(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W010: a runserver that knows no sockets runs instead of ours."""
    runs = get_commands().get("runserver")
    if not names("OUTLETS", SOCKETS) or runs != "django.contrib.staticfiles":
        return []
    message = "runserver is that of django.contrib.staticfiles, which answers sockets with 404."
    hint = "Put 'chat' before 'django.contrib.staticfiles' in INSTALLED_APPS."
    return [Caution(message, hint=hint, id="chat.W010")]


@register("chat")
def check_asgi(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W011: sockets are told of, and no application takes them."""
    if not names("OUTLETS", SOCKETS):
        return []
    path = getattr(settings, "ASGI_APPLICATION", None)
    hint = f"Route 'websocket' to {ROUTING}.application there, by Channels' ProtocolTypeRouter."
    if not path:
        message = "The sockets outlet is on and ASGI_APPLICATION is not set."
        return [
            Caution(message, hint="ASGI_APPLICATION = 'mysite.asgi.application'", id="chat.W011")
        ]
    application, error = _imported(path)
    if error:
        message = f"ASGI_APPLICATION names {path!r}, which will not import ({error})."
        hint = "Write the path of the application in your asgi.py: 'mysite.asgi.application'."
        return [Caution(message, hint=hint, id="chat.W011")]
    if isinstance(application, ASGIHandler):
        message = f"The sockets outlet is on and {path} is plain Django, which takes no sockets."
        return [Caution(message, hint=hint, id="chat.W011")]
    return []


def _imported(path: str) -> tuple[Any, str]:
    """Return what a path names, or what kind of error it was: its words may hold what is nobody's to read."""
    try:
        return import_string(path), ""
    except Exception as error:
        return None, type(error).__name__


@register("chat")
def check_outlets(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W013: sockets that would open and hear nothing."""
    layers = getattr(settings, "CHANNEL_LAYERS", None)
    if said()["OUTLETS"] or not (layers or ROUTING in sys.modules):
        return []
    message = "CHAT['OUTLETS'] is empty and Channels is set up: sockets would hear of nothing new."
    hint = f"CHAT['OUTLETS'] = [{SOCKETS!r}]; with no sockets of the chat, silence this check."
    return [Caution(message, hint=hint, id="chat.W013")]


@register("chat")
def check_pages(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W012: the API in a browser would fail for want of its templates."""
    if apps.is_installed("rest_framework") or not _serves_rest():
        return []
    message = "rest_framework is not in INSTALLED_APPS: the API fails in a browser."
    hint = "INSTALLED_APPS += ['rest_framework']"
    return [Caution(message, hint=hint, id="chat.W012")]


def _serves_rest() -> bool:
    try:
        return bool(reverse("chat_rest:me"))
    except NoReverseMatch:
        return False
    except Exception:
        # Urls that will not load have a check of Django's own.
        return False
