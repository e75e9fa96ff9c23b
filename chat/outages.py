"""Says once a minute what an outage makes fail many times a second: a database or a Redis that is away."""

from __future__ import annotations

import logging
import traceback
from time import monotonic

# Seconds until the same thing is said again, where it still fails.
SAID_EVERY = 60

# SQLSTATE: the server shuts down, crashed, or does not take connections yet; and a standby in recovery, which
# takes no writes (25006) and tells no epoch (55000). Class 08 is a broken connection.
AWAY = frozenset({"57P01", "57P02", "57P03", "25006", "55000"})

# SQLSTATE of a statement that ran, or waited for a lock, longer than its limit.
TOO_LONG = frozenset({"57014", "55P03"})


class Outages:
    """Remembers what was said lately."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, ...], float] = {}

    def begins(self, *what: str) -> bool:
        """Return whether this is to be said now: it was not within the last minute."""
        now = monotonic()
        begins = now - self._said.get(what, float("-inf")) >= SAID_EVERY
        if begins:
            self._said[what] = now
        return begins


class SaidOnce(logging.Filter):
    """Lets one record of each kind through in a minute; for loggers of libraries that retry without end."""

    def __init__(self) -> None:
        super().__init__()
        self._outages = Outages()

    def filter(self, record: logging.LogRecord) -> bool:
        return self._outages.begins(record.name, str(record.msg))


def is_away(error: BaseException) -> bool:
    """Return whether PostgreSQL was not reached, and not a statement refused: a traceback would show nothing."""
    cause = error.__cause__ or error
    if not hasattr(cause, "sqlstate"):
        return False
    state = cause.sqlstate or ""
    return not state or state.startswith("08") or state in AWAY


def took_too_long(error: BaseException) -> bool:
    """Return whether PostgreSQL ended a statement because of ``statement_timeout`` or ``lock_timeout``."""
    return getattr(error.__cause__ or error, "sqlstate", None) in TOO_LONG


def place_in_chat(error: BaseException) -> str:
    """Return the innermost function of the app that an error passed through, as ``module.function``."""
    found = "?"
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        if module.split(".")[0] == "chat":
            found = f"{module}.{frame.f_code.co_name}"
    return found
