"""How often one may be wrong at sign-in. The only file that knows the package ``limits``.

A try is counted before it is made, so that tries at once cannot all be the last, and given back when it
succeeds. Names and addresses are kept as digests alone.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from threading import Lock

from limits import RateLimitItem, RateLimitItemPerDay, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from rest_framework.request import Request

from chat.conf import chat_settings
from chat.errors import RateLimited, Unavailable

# A store that hangs must not hold a request for longer than people wait.
TIMEOUT = 3
_making = Lock()
# How long an address is known as an account's own.
KNOWN = RateLimitItemPerDay(1, 30)


def count_registration(request: Request) -> None:
    """Count one more try to register from an address. Raises RateLimited, Unavailable."""
    _count("LIMIT_REGISTER", "register", _address(request))


@contextmanager
def counting_bad_refreshes(request: Request) -> Iterator[None]:
    """Count a refresh that fails, by address: the token that failed names nobody. Raises RateLimited, Unavailable."""
    key = ("refresh", _address(request))
    _count("LIMIT_REFRESH", *key)
    yield
    _give_back("LIMIT_REFRESH", *key)


@contextmanager
def counting_wrong_passwords(request: Request, name: str) -> Iterator[None]:
    """Count a sign-in that fails, by account and by address. Raises RateLimited, Unavailable.

    An account that was signed in to from this address has a count of its own there: strangers who try
    its name elsewhere do not lock its person out.
    """
    address, account = _address(request), _digest(_folded(name))
    _count("LIMIT_ADDRESS", "address", address)
    own = _is_known(account, address)
    key = ("account", account, address if own else "anywhere")
    _count("LIMIT_ACCOUNT", *key)
    yield
    _give_back("LIMIT_ACCOUNT", *key)
    _give_back("LIMIT_ADDRESS", "address", address)
    with _fail_closed():
        _limiter().hit(KNOWN, *_at("known", account, address))


def _count(setting: str, *key: str) -> None:
    limit = _limit(setting)
    if limit is None:
        return
    with _fail_closed():
        if _limiter().hit(limit, *_at(*key)):
            return
        over = _limiter().get_window_stats(limit, *_at(*key)).reset_time - time.time()
    raise RateLimited(retry_after=max(1, ceil(over)))


def _give_back(setting: str, *key: str) -> None:
    limit = _limit(setting)
    if limit is not None:
        with _fail_closed():
            _limiter().hit(limit, *_at(*key), cost=-1)


def _is_known(account: str, address: str) -> bool:
    with _fail_closed():
        return not _limiter().test(KNOWN, *_at("known", account, address))


@contextmanager
def _fail_closed() -> Iterator[None]:
    # Without a count anyone could guess on for ever, so without one nobody signs in anew.
    try:
        yield
    except StorageError:
        raise Unavailable() from None


def _limit(setting: str) -> RateLimitItem | None:
    text: str = getattr(chat_settings, setting)
    return parse(text) if text else None


def _limiter() -> FixedWindowRateLimiter:
    # Threads that meet here at first would else each count in a memory of their own.
    with _making:
        return limiter_on(chat_settings.LIMITS_STORAGE)


class OneAtATime(FixedWindowRateLimiter):
    """For the memory store, which drops counts of threads that meet while a key is new."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self._turn = Lock()

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        with self._turn:
            return super().hit(item, *identifiers, cost=cost)


@cache
def limiter_on(uri: str) -> FixedWindowRateLimiter:
    """Return this process's way to a store, made once."""
    if uri.startswith("memory"):
        return OneAtATime(MemoryStorage(uri))
    redis = uri.startswith(("redis", "valkey"))
    timeouts = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT} if redis else {}
    return FixedWindowRateLimiter(storage_from_string(uri, wrap_exceptions=True, **timeouts))


def _at(*key: str) -> tuple[str, ...]:
    return (chat_settings.LIMITS_PREFIX, *key)


def _folded(name: str) -> str:
    # However its letters are cased or composed it counts as one name; a database may well find it so.
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _address(request: Request) -> str:
    """Return whom the network says is asking: what our own proxies added, never what the client wrote."""
    said = request.META.get("REMOTE_ADDR") or ""
    proxies = chat_settings.PROXIES
    if proxies:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        # Fewer hops than proxies: it did not come through them all, and the header is the client's.
        said = hops[-proxies] if len(hops) >= proxies else said
    return _digest(_network(said.strip()))


def _network(said: str) -> str:
    try:
        address = ip_address(said)
    except ValueError:
        return said
    if not isinstance(address, IPv6Address):
        return str(address)
    # Whoever has one IPv6 address has the 2⁶⁴ beside it.
    return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
