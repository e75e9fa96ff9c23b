"""How much a person may write: one quota over REST and sockets, in all processes."""

from __future__ import annotations

from uuid import UUID

from chat.limits.quota import Quota

_quota = Quota("LIMIT_WRITES", "writes")


def count_write(person: UUID) -> None:
    """Count one write of a person; may ask the store. Raises RateLimited."""
    _quota.count(str(person))


def spend(person: UUID) -> bool:
    """Count one write if this process can decide alone, in no time; else say False. Raises RateLimited."""
    return _quota.spend(str(person))


def buy(person: UUID) -> None:
    """Count one write that :func:`spend` could not, with the store's leave. Raises RateLimited."""
    _quota.buy(str(person))
