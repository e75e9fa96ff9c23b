"""Connections that give up on a PostgreSQL that hangs: its own timeouts hang with it."""

from __future__ import annotations

import re
from typing import TypeVar

from psycopg import Connection, OperationalError
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

R = TypeVar("R")

# Seconds that the server has, beyond its own statement_timeout, to say that it has expired.
MARGIN = 1.0
UNITS = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400}


def seconds(timeout: str) -> float:
    """Return a timeout as PostgreSQL writes it, "5s" or "500", in seconds. Raises ValueError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", timeout)
    if found is None or found[2] not in UNITS:
        raise ValueError(f"{timeout!r} is no time that PostgreSQL knows")
    return float(found[1]) * UNITS[found[2]]


class PatientConnection(Connection):
    """A connection that is closed, with an OperationalError, when the server is silent for ``patience`` seconds."""

    patience: float | None = None

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Wait for the server's answer."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except OperationalError as error:
            # An answer that may still come must not be taken for that to another question. What the server itself
            # refuses has an SQLSTATE, also in the midst of a pipeline, and breaks nothing.
            unanswered = timeout is None and error.sqlstate is None
            if unanswered and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def patient(statement_timeout: str) -> type[Connection]:
    """Return a class of connections that wait a little longer than a statement may take; "0" waits for ever."""
    limit = seconds(statement_timeout)
    return type(
        "PatientConnection", (PatientConnection,), {"patience": limit + MARGIN if limit else None}
    )
