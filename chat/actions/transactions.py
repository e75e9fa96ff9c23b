"""What makes a function an action: one transaction, tried again where only chance refused it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError, transaction

from chat.events import database
from chat.models import Profile
from chat.policy import why_suspended

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 3
# SQLSTATE: serialization failure, deadlock. Anything else would fail again in the same way.
PASSING = frozenset({"40001", "40P01"})


def action(verb: Callable[P, R]) -> Callable[P, R]:
    """Run the verb in a transaction of its own, or inside the host's; its events go out on commit.

    A verb whose first parameter is a ``Profile`` is refused while that person is suspended, unless
    :func:`while_suspended` marks it. A deadlock or serialization failure is tried again, up to three
    times in all, only where the transaction is our own: inside a host's, its work would have to be
    done again as well.
    """
    actor = None if getattr(verb, "while_suspended", False) else _actor(verb)

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        using = database()
        outermost = not transaction.get_connection(using).in_atomic_block
        for left in reversed(range(TRIES if outermost else 1)):
            try:
                with transaction.atomic(using=using):
                    if actor:
                        refuse_suspended(args[0] if args else kwargs[actor])
                    return verb(*args, **kwargs)
            except OperationalError as error:
                if not left or getattr(error.__cause__, "sqlstate", None) not in PASSING:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    return run


def while_suspended(verb: Callable[P, R]) -> Callable[P, R]:
    """Mark a verb that a suspended person may use too; stands below :func:`action`."""
    verb.while_suspended = True  # type: ignore[attr-defined]
    return verb


def _actor(verb: Callable[..., object]) -> str | None:
    """Return the name of the verb's first parameter where that is a person, else None."""
    first = next(iter(inspect.signature(verb).parameters.values()), None)
    return first.name if first and first.annotation in (Profile, Profile.__name__) else None


def refuse_suspended(person: Any) -> None:
    """Raise Forbidden while the person is suspended.

    The row is read again, because an open socket holds the person as they were at sign-in.
    """
    now = Profile.objects.filter(pk=person.pk).exclude(suspended_at=None).first()
    if now is not None and now.is_suspended:
        raise why_suspended(now)
