"""Bounds the password checks that run at the same time in one process.

Hashing a password occupies a thread for a few hundred milliseconds. Without a bound, a burst of sign-ins takes every
thread of a process, and all other requests wait behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from chat.conf import chat_settings
from chat.errors import Unavailable

RETRY_AFTER = 2
BUSY = "Too many people are signing in at the moment."
# The key of the reserved places; no digest of an address is empty.
RESERVED = ""


class SignInsBusy(Unavailable):
    """``LIMIT_SIGN_INS`` password checks run already."""


class PasswordChecks:
    """Counts the password checks that run now in this process, in all and by address.

    One address has half of the places at most, so that it cannot keep the others out. As many places again as that
    half are for people who signed in from their address before, so that strangers cannot keep them out.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: Counter[str] = Counter()

    def begin(self, address: str, limit: int) -> bool:
        """Count one more of an address, and return True, if there is a place for it."""
        with self._lock:
            others = self._running.total() - self._running[RESERVED]
            if others >= limit or self._running[address] >= half(limit):
                return False
            self._running[address] += 1
            return True

    def begin_reserved(self, limit: int) -> bool:
        """Count one more in the reserved places, and return True, if one is free."""
        with self._lock:
            if self._running[RESERVED] >= half(limit):
                return False
            self._running[RESERVED] += 1
            return True

    def end(self, key: str) -> None:
        """Count one less of an address, or of the reserved places."""
        with self._lock:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]


def half(limit: int) -> int:
    """Return half of a limit, at least one."""
    return max(1, limit // 2)


_checks = PasswordChecks()


@contextmanager
def password_check(address: str, is_known: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Run a password check that came from an address, if ``LIMIT_SIGN_INS`` has a place for it.

    ``is_known`` says if the person signed in from this address before; it is called only where the places are
    taken. Raises SignInsBusy at once where no place is free.
    """
    limit: int | None = chat_settings.LIMIT_SIGN_INS
    if limit is None:
        yield
        return
    key = address
    if not _checks.begin(address, limit):
        if not (is_known() and _checks.begin_reserved(limit)):
            raise SignInsBusy(BUSY, retry_after=RETRY_AFTER)
        key = RESERVED
    try:
        yield
    finally:
        _checks.end(key)
