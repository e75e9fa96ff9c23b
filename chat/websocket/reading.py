"""Reads what positions are compared with, and notices that the log is another one: restored, or failed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from chat.errors import Unavailable
from chat.queries.epoch import in_epoch
from chat.websocket.bridge import cross

R = TypeVar("R")


class NewEpoch(Unavailable):
    """The log is another one than that of the asker's positions; its socket is being closed."""


class Reader:
    """Knows the epoch that a process is in; learns it anew with each query, in the same crossing."""

    def __init__(self, begin: Callable[[], None]) -> None:
        """Call ``begin`` when an epoch has followed another, before anyone is given what was read in it."""
        self.epoch = ""
        self._begin = begin

    async def read(self, query: Callable[..., R], *args: object) -> R:
        """Run a query in a thread. Raises Unavailable; NewEpoch where the epoch is not that of the question."""
        asked_in = self.epoch
        epoch, found = await cross(in_epoch, query, *args)
        # An answer from before a change may arrive after it, and changes nothing back.
        if epoch not in (self.epoch, asked_in):
            known, self.epoch = self.epoch, epoch
            if known:
                self._begin()
        if epoch != self.epoch or asked_in not in ("", epoch):
            raise NewEpoch()
        return found
