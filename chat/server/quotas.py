"""What all HTTP connections of a process may hold together."""

from __future__ import annotations

from collections import Counter

from chat.limits.addresses import network


class ConnectionsByAddress:
    """Counts the open connections of each address, or of each /64 of IPv6."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def add(self, address: str, limit: int) -> str | None:
        """Count a connection and return the key to remove it by, or None if there are too many already."""
        key = network(address)
        if self._open[key] >= limit:
            return None
        self._open[key] += 1
        return key

    def remove(self, key: str) -> None:
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]


class HeldBody:
    """The part of one body that counts for its process, from when it came until it is answered."""

    _all = 0

    def __init__(self) -> None:
        self._size = 0

    def grow_to(self, size: int, limit: int) -> bool:
        """Count so many bytes; return False, and count no more, if all bodies together become larger than the limit."""
        more = size - self._size
        if HeldBody._all + more > limit:
            return False
        self._size = size
        HeldBody._all += more
        return True

    def release(self) -> None:
        """Count nothing of it any more."""
        HeldBody._all -= self._size
        self._size = 0


connections = ConnectionsByAddress()
