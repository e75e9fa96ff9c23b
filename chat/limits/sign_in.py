"""How often one may be wrong at sign-in.

A try is counted before it is made, so that tries at once cannot all be the last, and given back when it
succeeds. Names and addresses are kept as digests alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from rest_framework.request import Request

from chat.errors import RateLimited, Unavailable
from chat.limits import store
from chat.limits.addresses import address_of, digest

# How long an address is known as an account's own.
KNOWN = store.RateLimitItemPerDay(1, 30)


def count_registration(request: Request) -> None:
    """Count one more try to register from an address. Raises RateLimited, Unavailable."""
    _count("LIMIT_REGISTER", "register", address_of(request))


@contextmanager
def counting_bad_refreshes(request: Request) -> Iterator[None]:
    """Count a refresh that fails, by address: the token that failed names nobody. Raises RateLimited, Unavailable."""
    key = ("refresh", address_of(request))
    _count("LIMIT_REFRESH", *key)
    yield
    _give_back("LIMIT_REFRESH", *key)


@contextmanager
def counting_wrong_passwords(request: Request | HttpRequest, *names: str) -> Iterator[None]:
    """Count a sign-in that fails, by account and by address. Raises RateLimited, Unavailable.

    An account that was signed in to from this address has a count of its own there: strangers who try
    its name elsewhere do not lock its person out. Where several names came, each is tried at.
    """
    address = address_of(request)
    accounts = {digest(_folded(name)) for name in names}
    _count("LIMIT_ADDRESS", "address", address)
    keys = [_key_of(account, address) for account in accounts]
    for key in keys:
        _count("LIMIT_ACCOUNT", *key)
    yield
    for key in keys:
        _give_back("LIMIT_ACCOUNT", *key)
    _give_back("LIMIT_ADDRESS", "address", address)
    if len(accounts) > 1:
        # One of them let in, and nobody can say which.
        return
    with _fail_closed():
        for account in accounts:
            store.limiter().hit(KNOWN, *store.at("known", account, address))


def _key_of(account: str, address: str) -> tuple[str, str, str]:
    own = _is_known(account, address)
    return "account", account, address if own else "anywhere"


def _count(setting: str, *key: str) -> None:
    limit = store.rate(setting)
    if limit is None:
        return
    with _fail_closed():
        limiter = store.limiter()
        if limiter.hit(limit, *store.at(*key)):
            return
        over = store.wait(limiter, limit, *store.at(*key))
    raise RateLimited(retry_after=over)


def _give_back(setting: str, *key: str) -> None:
    limit = store.rate(setting)
    if limit is not None:
        with _fail_closed():
            store.limiter().hit(limit, *store.at(*key), cost=-1)


def _is_known(account: str, address: str) -> bool:
    with _fail_closed():
        return not store.limiter().test(KNOWN, *store.at("known", account, address))


@contextmanager
def _fail_closed() -> Iterator[None]:
    # Without a count anyone could guess on for ever, so without one nobody signs in anew.
    try:
        yield
    except store.StorageError:
        raise Unavailable() from None


def _folded(name: str) -> str:
    # However its letters are cased or composed it counts as one name; a database may well find it so.
    return unicodedata.normalize("NFKC", name).casefold().strip()
