"""Serves HTTP by Django, collected static files, and sockets by the chat, in one process."""

import os
from wsgiref.headers import Headers

from channels.routing import ProtocolTypeRouter
from django.conf import settings
from servestatic import ServeStaticASGI

from project.handler import get_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
http = get_application()

# Models must be loaded, by the line above, before the sockets import them.
from chat.websocket.routing import application as websocket  # noqa: E402

STATIC_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    # A picture opened by itself is a page that may run scripts.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}
if settings.SECURE_HSTS_SECONDS:
    STATIC_HEADERS["Strict-Transport-Security"] = (
        f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains"
    )


def harden(headers: Headers, path: str, url: str) -> None:
    """Static files pass Django's middleware by, and so its headers."""
    for name, value in STATIC_HEADERS.items():
        headers[name] = value


# Nothing is collected while developing; runserver then finds the files where they are.
if settings.STATIC_ROOT.is_dir():
    http = ServeStaticASGI(
        http,
        root=settings.STATIC_ROOT,
        prefix=settings.STATIC_URL,
        allow_all_origins=False,
        add_headers_function=harden,
    )

application = ProtocolTypeRouter({"http": http, "websocket": websocket})
