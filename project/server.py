"""Runs the service: `python -m project.server`, with HOST, PORT and WEB_CONCURRENCY from the environment."""

import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chat.websocket.server import listen, serve, without_queries
from project.env import env, number


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        # Wrong settings stop here, once; a worker that dies of them would be started again and again.
        django.setup()
        # The settings read the environment first.
        from project.startup import ensure_database, ensure_settings, workers  # noqa: PLC0415

        ensure_settings()
        processes = workers()
        ensure_database()
        port = number("PORT", default=8000, least=0, most=65535)
        sock = listen(env.str("HOST", default="127.0.0.1"), port)
    except (ImproperlyConfigured, OSError) as error:
        sys.exit(f"Not started: {error}")
    serve(
        "project.asgi:application",
        sock,
        workers=processes,
        log_config=without_queries(settings.LOGGING),
    )


if __name__ == "__main__":
    main()
