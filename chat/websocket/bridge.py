"""The single crossing from the event loop to the domain, which is plain synchronous code."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from time import monotonic
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, close_old_connections

from chat.conf import chat_settings
from chat.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the bounded threads of this process, each with a database connection of its own.

    Not asgiref's shared thread, in which one slow query would hold up every socket of the process.
    """
    return ThreadPoolExecutor(chat_settings.BRIDGE_THREADS, thread_name_prefix="chat-bridge")


async def cross(verb: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a domain function in a thread. Raises what it raises; a database that is away is Unavailable.

    One that no thread took up within CHAT["BRIDGE_WAIT"] is Unavailable too, and is never run.
    Cancelling the wait does not stop the function: what it commits stays committed, unacknowledged.
    """
    try:
        return await sync_to_async(_run, thread_sensitive=False, executor=_threads())(
            monotonic() + chat_settings.BRIDGE_WAIT, verb, *args, **kwargs
        )
    except (OperationalError, InterfaceError) as error:
        raise Unavailable() from error


def _run(begin_by: float, verb: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    # All threads wait for a database that hangs: whoever queued behind them is told so, in no time, when one is free.
    if monotonic() > begin_by:
        raise Unavailable()
    # No request begins or ends here, so nothing else would drop a connection that broke or grew old.
    close_old_connections()
    try:
        return verb(*args, **kwargs)
    finally:
        close_old_connections()
