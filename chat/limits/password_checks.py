"""Bounds the password checks that run at the same time in one process.

Hashing a password occupies a thread for a few hundred milliseconds. Without a bound, a burst of sign-ins takes every
thread of a process, and all other requests wait behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from chat.conf import chat_settings
from chat.errors import Unavailable

RETRY_AFTER = 2
BUSY = "Too many people are signing in at the moment."


class SignInsBusy(Unavailable):
    """``LIMIT_SIGN_INS`` password checks run already."""


class PasswordChecks:
    """Counts the password checks that run now in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0

    def begin(self) -> None:
        """Count one more. Raises Unavailable where ``LIMIT_SIGN_INS`` run already."""
        limit: int | None = chat_settings.LIMIT_SIGN_INS
        with self._lock:
            if limit is not None and self._running >= limit:
                raise SignInsBusy(BUSY, retry_after=RETRY_AFTER)
            self._running += 1

    def end(self) -> None:
        """Count one less."""
        with self._lock:
            self._running -= 1


_checks = PasswordChecks()


@contextmanager
def password_check() -> Iterator[None]:
    """Run a password check if fewer than ``LIMIT_SIGN_INS`` run now. Raises Unavailable at once otherwise."""
    _checks.begin()
    try:
        yield
    finally:
        _checks.end()
