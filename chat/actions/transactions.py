"""What makes a function an action: one transaction, tried again where only chance refused it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, transaction

from chat.events import database

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 3
# SQLSTATE: serialization failure, deadlock. Anything else would fail again in the same way.
PASSING = frozenset({"40001", "40P01"})


def action(verb: Callable[P, R]) -> Callable[P, R]:
    """Run the verb in a transaction of its own, or inside the host's; its events go out on commit.

    A deadlock or serialization failure is tried again, up to three times in all, only where the
    transaction is our own: inside a host's, its work would have to be done again as well.
    """

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        using = database()
        outermost = not transaction.get_connection(using).in_atomic_block
        for left in reversed(range(TRIES if outermost else 1)):
            try:
                with transaction.atomic(using=using):
                    return verb(*args, **kwargs)
            except OperationalError as error:
                if not left or getattr(error.__cause__, "sqlstate", None) not in PASSING:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    return run
