"""Counts the queries of a server process, for whoever started it to read: a number in a small file that both map."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any


class Counter:
    """A number that one process raises and another reads."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        self._lock = Lock()

    def add(self) -> None:
        """Raise it by one, from whichever thread."""
        with self._lock:
            struct.pack_into("q", self._map, 0, self.read() + 1)

    def read(self) -> int:
        """Return it as it now is."""
        return int(struct.unpack_from("q", self._map, 0)[0])


def count_queries(path: Path) -> None:
    """Count, from now on, each query of each connection of this process."""
    from django.db.backends.signals import connection_created

    counter = Counter(path)

    def counted(execute: Callable[..., Any], *arguments: Any) -> Any:
        counter.add()
        return execute(*arguments)

    def watch(connection: Any, **kwargs: Any) -> None:
        if counted not in connection.execute_wrappers:
            connection.execute_wrappers.append(counted)

    connection_created.connect(watch, weak=False)
