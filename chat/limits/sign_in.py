"""How often one may be wrong at sign-in.

A try is counted before it is made, so that tries at once cannot all be the last, and given back when it
succeeds. Names and addresses are kept as digests alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from django.http import HttpRequest
from rest_framework.request import Request

from chat.errors import ChatError, RateLimited, Unauthenticated, Unavailable
from chat.limits import store
from chat.limits.addresses import address_of, digest, network_of
from chat.limits.password_checks import password_check
from chat.security_log import log_refusal, log_security_event

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
    try:
        yield
    except Unauthenticated as refusal:
        log_refusal(refusal, operation="refresh", address=network_of(request))
        raise
    _give_back("LIMIT_REFRESH", *key)


@contextmanager
def counting_wrong_passwords(request: Request | HttpRequest, *names: str) -> Iterator[None]:
    """Count and log a sign-in that fails, by account and by address. Raises RateLimited, Unavailable.

    A sign-in beyond ``LIMIT_SIGN_INS`` at the same time is refused uncounted: Unavailable.

    An account that was signed in to from this address has a count of its own there: strangers who try
    its name elsewhere do not lock its person out. Where several names came, each is tried at.
    """
    accounts = {digest(_folded(name)) for name in names}
    address = address_of(request)

    def is_known() -> bool:
        return any(_is_known(account, address) for account in accounts)

    with password_check(address, is_known), _failures_logged(network_of(request), accounts):
        yield from _counted_try(address, accounts)


@contextmanager
def _failures_logged(network: str, accounts: set[str]) -> Iterator[None]:
    # The typed name may be a password by mistake, so only its digest is logged.
    try:
        yield
    except RateLimited as refusal:
        log_refusal(refusal, operation="sign_in", address=network)
        raise
    except (Unavailable, DatabaseError):
        raise
    except Exception as failure:
        for account in accounts:
            log_security_event("sign_in.failed", address=network, name=account)
        if isinstance(failure, ChatError):
            failure.logged = True
        raise


def _counted_try(address: str, accounts: set[str]) -> Iterator[None]:
    _count("LIMIT_ADDRESS", "address", address)
    keys = [_key_of(account, address) for account in accounts]
    for key in keys:
        _count("LIMIT_ACCOUNT", *key)
    yield
    for key in keys:
        _give_back("LIMIT_ACCOUNT", *key)
    _give_back("LIMIT_ADDRESS", "address", address)
    # Of several names only one let in, and the page does not say which.
    if len(accounts) == 1:
        with _fail_closed():
            store.limiter().hit(KNOWN, *store.at("known", *accounts, address))


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
