"""Find out before serving why the service could not work, so that a wrong setting is one line and no traceback."""

from __future__ import annotations

import logging
from copy import deepcopy

from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, Error, NotSupportedError
from django.db.utils import ConnectionHandler

from project.env import env, number

logger = logging.getLogger("project.startup")


def database_fault() -> str | None:
    """Open one connection and close it; return why that failed, or None."""
    database = deepcopy(settings.DATABASES[DEFAULT_DB_ALIAS])
    # A pool would try for seconds, log each try, and then hide the reason behind a timeout.
    database["OPTIONS"].pop("pool", None)
    connection = ConnectionHandler({DEFAULT_DB_ALIAS: database})[DEFAULT_DB_ALIAS]
    try:
        connection.ensure_connection()
    except NotSupportedError as error:
        return f"DATABASE_URL: {error}"
    except Error as error:
        reason = " ".join(str(error).split())
        return f"The database of DATABASE_URL does not answer: {reason}"
    finally:
        connection.close()
    return None


def workers() -> int:
    """Return how many processes to serve in: one without Redis, because processes hear each other through it."""
    wanted = number("WEB_CONCURRENCY", default=1, least=1)
    if wanted > 1 and not env.str("REDIS_URL", default=""):
        logger.warning(
            "REDIS_URL is not set, so one process serves instead of %d: without Redis "
            "several processes would not hear each other's events.",
            wanted,
        )
        return 1
    return wanted


def ensure_settings() -> None:
    """Raise ImproperlyConfigured with the first error that the system checks find."""
    for found in run_checks():
        if found.is_serious() and not found.is_silenced():
            raise ImproperlyConfigured(f"{found.msg} ({found.id})")


def ensure_database() -> None:
    """Raise ImproperlyConfigured when the database cannot be used."""
    if fault := database_fault():
        raise ImproperlyConfigured(fault)
