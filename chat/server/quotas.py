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


class BytesOfBodies:
    """Counts the bytes of large bodies that were received and are not answered yet."""

    def __init__(self) -> None:
        self._held = 0

    def add(self, size: int, limit: int) -> bool:
        """Count some bytes; return False, and count nothing, if they are too many."""
        if self._held + size > limit:
            return False
        self._held += size
        return True

    def remove(self, size: int) -> None:
        self._held -= size


connections = ConnectionsByAddress()
bodies = BytesOfBodies()
