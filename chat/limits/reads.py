"""How much may be read: by a person over REST and sockets together, and by an address that signs nobody in."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from chat.limits.addresses import address_of
from chat.limits.quota import Quota

_by_account = Quota("LIMIT_READS", "reads")
_by_address = Quota("LIMIT_READS_ADDRESS", "reads_address")


def count_read(request: Request) -> None:
    """Count one read of whoever asks; may ask the store. Raises RateLimited."""
    # A host may have nobody stand for people who are not signed in.
    if request.user and request.user.is_authenticated:
        _by_account.count(str(request.user.pk))
    else:
        _by_address.count(address_of(request))


def spend(account: Any) -> bool:
    """Count one read of an account if this process can decide alone; else say False. Raises RateLimited."""
    return _by_account.spend(str(account))


def buy(account: Any) -> None:
    """Count one read that :func:`spend` could not, with the store's leave. Raises RateLimited."""
    _by_account.buy(str(account))
