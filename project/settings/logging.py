"""Logs go to the console: a line of text while developing, a JSON object in production."""

from typing import Any

from project.env import DEBUG, choice

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_level = choice("LOG_LEVEL", LEVELS, default="INFO")
_console = {"handlers": ["console"], "level": _level, "propagate": False}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "said_once": {"()": "chat.outages.SaidOnce"},
        "without_client_faults": {"()": "project.logs.WithoutClientFaults"},
    },
    "formatters": {
        "text": {"format": "{asctime} {levelname:<7} {name} {message}", "style": "{"},
        "json": {"()": "project.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["without_client_faults"],
            "formatter": choice(
                "LOG_FORMAT", ("text", "json"), default="text" if DEBUG else "json"
            ),
        },
    },
    "root": {"handlers": ["console"], "level": _level},
    "loggers": {
        # The two servers bring handlers of their own, which would print every line twice.
        "django": _console,
        "django.server": _console,
        "uvicorn": _console,
        "uvicorn.access": _console,
        # It says for each connection and attempt that the database is away.
        "psycopg.pool": {"filters": ["said_once"]},
    },
}
