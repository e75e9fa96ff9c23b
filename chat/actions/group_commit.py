"""Group commit: while one batch of sends is being written, those that come wait and go together in the next.

Alone, a send goes at once; under load one transaction carries hundreds, across rooms, and the cost of each
falls. A room that another process is writing to does not hold up the others: its sends go to a lane of
their own, where they wait for it, four such rooms at a time.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
)

from chat import metrics
from chat.actions.sending import (
    Draft,
    Outcome,
    RoomBusy,
    Sent,
    one_by_one,
    send_message,
    send_messages,
)
from chat.errors import Unavailable
from chat.events import database
from chat.outages import Outages

logger = logging.getLogger("chat.actions.group_commit")

_outages = Outages()

# Sends that one transaction carries at most: beyond, the cost of each falls no further, but all wait longer.
BATCH_MAX = 256
# Sends that may wait for their batch before further ones are refused.
WAITING_MAX = 10_000
# Seconds after which whoever waits is told `unavailable`. What is in no batch by then never is; what is being
# stored and is after all, a repeat finds.
ANSWER_TIMEOUT = 10
# Seconds without a send after which the writer gives its connection back.
KEPT = 1
# Seconds within which a connection is found to have broken before, and not by a database that hangs.
BROKE_WITHIN = 3
# Busy rooms that are waited for at the same time.
BUSY_LANES = 4
# SQLSTATE: somebody held a row for longer than lock_timeout.
LOCK_NOT_AVAILABLE = "55P03"

# What came of a draft; another exception than a refusal is a fault of ours.
Result = Outcome | Exception
# Takes the results of a batch that it waits for, each with the tag that it gave, in any thread.
Receiver = Callable[[list[tuple[Any, Result]]], None]


class DatabaseAway(Unavailable):
    """The database did not take the batch."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft, who is told under which tag what came of it, and until when (monotonic) they listen."""

    draft: Draft
    receiver: Receiver
    tag: Any
    until: float


class GroupCommit:
    """The one writer of a process's sends."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Waiting] = SimpleQueue()
        self._busy: dict[UUID, deque[Waiting]] = {}
        self._lock = threading.Lock()
        self._lanes = ThreadPoolExecutor(BUSY_LANES, thread_name_prefix="chat-busy-room")
        self._writer = threading.Thread(target=self._write_on, name="chat-writer", daemon=True)
        self._writer.start()

    def submit(self, draft: Draft, receiver: Receiver, tag: Any = None) -> None:
        """Have a draft sent with the next batch; never blocks. Raises Unavailable when too many wait."""
        if self._waiting.qsize() >= WAITING_MAX:
            raise Unavailable()
        self._waiting.put(Waiting(draft, receiver, tag, monotonic() + ANSWER_TIMEOUT))

    def _write_on(self) -> None:
        while True:
            batch = self._next_batch()
            if batch:
                self._write(batch)

    def _next(self) -> Waiting:
        """Wait for a draft; a connection from a pool is kept for the next one, if that comes soon."""
        try:
            return self._waiting.get(timeout=KEPT if _pooled() else 0)
        except Empty:
            _give_back()
            return self._waiting.get()

    def _next_batch(self) -> list[Waiting]:
        """Wait for a draft and take all that wait, but those for rooms that are being waited for."""
        batch = [self._next()]
        try:
            while len(batch) < BATCH_MAX:
                batch.append(self._waiting.get_nowait())
        except Empty:
            pass
        with self._lock:
            return [one for one in batch if not self._behind_others(one)]

    def _behind_others(self, one: Waiting) -> bool:
        """Put a draft behind those that wait for its room, lest it overtake them."""
        lane = self._busy.get(one.draft.room)
        if lane is None:
            return False
        lane.append(one)
        return True

    def _write(self, batch: list[Waiting]) -> None:
        batch = _in_time(batch)
        results = _send_all([one.draft for one in batch], wait=False)
        told = []
        for one, result in zip(batch, results, strict=True):
            if isinstance(result, RoomBusy):
                self._wait_for_room(one)
            else:
                told.append((one, result))
        if any(isinstance(result, DatabaseAway) for result in results):
            # Who waited meanwhile has waited for the same, and would wait as long again.
            told += [(one, DatabaseAway()) for one in self._all_that_wait()]
        _tell(told)

    def _all_that_wait(self) -> list[Waiting]:
        found = []
        with suppress(Empty):
            while True:
                found.append(self._waiting.get_nowait())
        return found

    def _wait_for_room(self, one: Waiting) -> None:
        with self._lock:
            if self._behind_others(one):
                return
            self._busy[one.draft.room] = deque([one])
        self._lanes.submit(self._write_room, one.draft.room)

    def _write_room(self, room: UUID) -> None:
        """Write what waits for one busy room; what came meanwhile has its turn after the other busy rooms."""
        with self._lock:
            lane = self._busy[room]
            batch = [lane.popleft() for _ in range(min(len(lane), BATCH_MAX))]
        batch = _in_time(batch)
        results = _send_all([one.draft for one in batch], wait=True)
        _tell(list(zip(batch, results, strict=True)))
        _give_back()
        with self._lock:
            if not lane:
                del self._busy[room]
                return
        self._lanes.submit(self._write_room, room)


def _in_time(batch: list[Waiting]) -> list[Waiting]:
    """Return the drafts whose answer is still awaited; the others are not sent, as was told."""
    now = monotonic()
    late = [one for one in batch if one.until <= now]
    if not late:
        return batch
    _tell([(one, Unavailable()) for one in late])
    return [one for one in batch if one.until > now]


def _send_all(drafts: Sequence[Draft], *, wait: bool) -> Sequence[Result]:
    """Send a batch; one that fails as a whole is tried draft by draft, so that a bad one fails alone."""
    if not drafts:
        return []
    metrics.batch(len(drafts))
    connection, began = connections[database()], monotonic()
    try:
        connection.ensure_connection()
        ours = connection.connection
        try:
            return send_messages(drafts, wait=wait)
        except (OperationalError, InterfaceError):
            if not getattr(ours, "closed", False) or monotonic() - began > BROKE_WITHIN:
                raise
            # It broke while nobody used it. Even if not: what was stored all the same, a repeat finds.
            _give_back()
            return send_messages(drafts, wait=wait)
    except (OperationalError, InterfaceError) as error:
        if not wait and getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            # Of which room that row is nobody says: let each wait for itself, and not for the others'.
            return [RoomBusy()] * len(drafts)
        if _outages.begins("written", type(error).__name__):
            logger.warning("a batch of sends was not written: %s", type(error).__name__)
        _give_back()
        return [DatabaseAway()] * len(drafts)
    except Exception as error:
        if len(drafts) == 1:
            return [error]
        return one_by_one(drafts, lambda one: _send_all([one], wait=wait)[0])


def _give_back() -> None:
    """Let go of connections that are broken, old, or a pool's. Never fails: else its thread would end."""
    try:
        close_old_connections()
    except Exception as error:
        if _outages.begins("dropped", type(error).__name__):
            logger.warning("a connection was dropped: %s", type(error).__name__)
        with suppress(Exception):
            connections[database()].close()


def _pooled() -> bool:
    """Return whether a connection that is closed goes back to others who want one."""
    return bool(connections[database()].settings_dict.get("OPTIONS", {}).get("pool"))


def _tell(results: Sequence[tuple[Waiting, Result]]) -> None:
    """Give each receiver its results, all of a batch at once."""
    by_receiver: dict[Receiver, list[tuple[Any, Result]]] = {}
    for one, result in results:
        by_receiver.setdefault(one.receiver, []).append((one.tag, result))
    for receiver, told in by_receiver.items():
        try:
            receiver(told)
        except Exception:
            logger.exception("an answer was not taken")


_writers: dict[int, GroupCommit] = {}
_starting = threading.Lock()


def group_commit() -> GroupCommit:
    """Return this process's writer, started on first use: threads do not survive a fork."""
    process = os.getpid()
    with _starting:
        if process not in _writers:
            _writers[process] = GroupCommit()
        return _writers[process]


def send(draft: Draft) -> Sent:
    """Send one message with whatever else this process is sending, and wait until it is stored.

    Inside a transaction it is sent there and then, for only there can it be taken back with it.
    Raises what refused it; Unavailable too when it was not stored in time.
    """
    connection = connections[database()]
    if connection.in_atomic_block or (connection.connection and not connection.autocommit):
        return send_message(draft)
    if _pooled():
        # Lent back: if those who wait for the writer held all there are, it would have none to write with.
        connection.close()
    future: Future[Result] = Future()
    group_commit().submit(draft, lambda told: future.set_result(told[0][1]))
    try:
        result = future.result(ANSWER_TIMEOUT)
    except TimeoutError:
        raise Unavailable() from None
    if isinstance(result, Exception):
        raise result
    return result
