"""Under a test's own transaction nothing is ever committed; here its hooks run where they would have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def firing() -> Iterator[None]:
    """Run ``on_commit`` hooks as soon as no block is open but those that are open now; rolled back, never."""
    ground = {each.alias: len(each.savepoint_ids) for each in connections.all()}
    leave, wait = transaction.Atomic.__exit__, BaseDatabaseWrapper.on_commit

    def settle(connection: Any) -> None:
        if connection.in_atomic_block and len(connection.savepoint_ids) <= ground[connection.alias]:
            _run(connection)

    def left(block: Any, *trouble: Any) -> None:
        leave(block, *trouble)
        settle(transaction.get_connection(block.using))

    def waiting(connection: Any, func: Callable[[], object], robust: bool = False) -> None:
        wait(connection, func, robust)
        settle(connection)

    with (
        mock.patch.object(transaction.Atomic, "__exit__", left),
        mock.patch.object(BaseDatabaseWrapper, "on_commit", waiting),
    ):
        yield


def _run(connection: Any) -> None:
    # A hook may add another, which has its turn after those that are there.
    while connection.run_on_commit:
        _, hook, *_ = connection.run_on_commit.pop(0)
        hook()
