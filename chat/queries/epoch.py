"""The epoch: names the one history that all cursors of an installation are positions in."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import NotSupportedError, ProgrammingError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from chat.events import database
from chat.models import Epoch, Event

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("chat.queries.epoch")

# Marks of a PostgreSQL database. A restore of a dump gives the log's table a new OID, and a copy by
# CREATE DATABASE … TEMPLATE gives the database one. No maintenance changes either.
OWN_MARKS = (
    "%s::regclass::oid",
    "(SELECT oid FROM pg_database WHERE datname = current_database())",
)
# Marks of its cluster, each by its name. They need a permission that an administrator can revoke, and
# some services that resemble PostgreSQL lack them. The timeline is new after a promotion or a point-in-time
# recovery, and the same after a crash. pg_control_checkpoint() tells it only at the next checkpoint. On a standby
# reading it fails, and so does all that needs an epoch: a standby takes no writes anyway.
CLUSTER_MARKS = {
    "pg_control_system()": "(SELECT system_identifier FROM pg_control_system())",
    "pg_walfile_name()": "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)",
}


def current_epoch() -> str:
    """Return the epoch: a digest of the stored value and of what a restore or a failover changes.

    Read it before the rows that it is to name. Rows newer than their epoch are reset once the client
    comes back with the old epoch; rows older than their epoch would never be.
    """
    connection = connections[database()]
    marks = _marks(connection)
    if marks[0] is None:
        Epoch.objects.using(connection.alias).get_or_create(pk=1)
        marks = _marks(connection)
    stored = UUID(str(marks[0])).hex
    told = "-".join([stored, *(str(mark) for mark in marks[1:])])
    return blake2b(told.encode(), digest_size=16).hexdigest()


def in_epoch(query: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> tuple[str, R]:
    """Return the epoch, and what a query that runs after it finds."""
    epoch = current_epoch()
    return epoch, query(*args, **kwargs)


def unreadable_marks(alias: str) -> list[str]:
    """Return the PostgreSQL functions needed to notice a restore or failover that this role cannot execute."""
    if connections[alias].vendor != "postgresql":
        return []
    return [name for name in CLUSTER_MARKS if name not in _readable_marks(alias)]


def _marks(connection: BaseDatabaseWrapper) -> list[object]:
    """Return the stored value, None before its first use, and the marks of the database, in one statement."""
    quote = connection.ops.quote_name
    table = quote(Epoch._meta.db_table)
    columns = [f"(SELECT value FROM {table} WHERE id = 1)"]  # noqa: S608  # nosec B608
    values: list[str] = []
    if connection.vendor == "postgresql":
        readable = _readable_marks(connection.alias)
        columns += [*OWN_MARKS, *(CLUSTER_MARKS[name] for name in readable)]
        # Unqualified, as in all other statements, so that the search path applies.
        values = [quote(Event._meta.db_table)]
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)}", values)
            found = list(cursor.fetchone())
    except ProgrammingError:
        # A permission that was revoked meanwhile: find out which, the next time.
        _readable_marks.cache_clear()
        raise
    return found + _file_marks(connection)


@cache
def _readable_marks(alias: str) -> tuple[str, ...]:
    """Return the names of the cluster's marks that this role may read. Raises OperationalError, on a standby too."""
    readable = tuple(name for name in CLUSTER_MARKS if _answers(alias, CLUSTER_MARKS[name]))
    for name in CLUSTER_MARKS.keys() - readable:
        logger.warning(
            "this role cannot read %s: run chat_epoch --renew after each restore and failover", name
        )
    return readable


def _answers(alias: str, expression: str) -> bool:
    try:
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute(f"SELECT {expression}")
    except (ProgrammingError, NotSupportedError):
        return False
    return True


def _file_marks(connection: BaseDatabaseWrapper) -> list[object]:
    """Return the inode of an SQLite file: a file that was put in its place mostly has another one."""
    if connection.vendor != "sqlite":
        return []
    try:
        return [os.stat(connection.settings_dict["NAME"]).st_ino]
    except OSError:
        # In memory.
        return []
