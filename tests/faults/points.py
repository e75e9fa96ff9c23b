"""Named points at which a server under test dies, and a clock that is off; loaded by the sabotage settings alone."""

from __future__ import annotations

import asyncio
import datetime
import os
import signal
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from django.db.backends.signals import connection_created
from django.utils import timezone

STEP_BACK = 600


def die() -> None:
    """End this process at once, as a crash does."""
    os.kill(os.getpid(), signal.SIGKILL)


def before_commit(after: int) -> None:
    """Die when the n-th event has been inserted and its transaction is not yet committed."""
    inserted = count(1)

    def execute(run: Callable[..., Any], sql: str, *args: Any) -> Any:
        result = run(sql, *args)
        if 'INSERT INTO "chat_event"' in sql and next(inserted) >= after:
            die()
        return result

    def wrap(connection: Any, **kwargs: Any) -> None:
        if execute not in connection.execute_wrappers:
            connection.execute_wrappers.append(execute)

    connection_created.connect(wrap, weak=False)


def after_commit(after: int) -> None:
    """Die when the n-th transaction is committed, before anything is said of it."""
    from django.conf import settings

    committed = count(1)

    def outlet(items: list[Any]) -> None:
        if next(committed) >= after:
            die()

    settings.CHAT["OUTLETS"] = [outlet, *settings.CHAT["OUTLETS"]]


def before_push(after: int) -> None:
    """Die when the n-th batch has been acknowledged and is about to be told to the other processes."""
    from chat.outlets import sockets

    pushed, send = count(1), sockets.send_to_layer

    async def send_to_layer(items: Any, **labels: str) -> None:
        if next(pushed) >= after:
            # Time for the acknowledgement to go out.
            await asyncio.sleep(0.1)
            die()
        await send(items, **labels)

    sockets.send_to_layer = send_to_layer


POINTS = {
    "before-commit": before_commit,
    "after-commit": after_commit,
    "before-push": before_push,
}


def shift_clock(seconds: float) -> None:
    """Have this process believe in another time of day; SIGUSR2 sets it back by ten minutes more."""
    import jwt.api_jwt

    off = [seconds]
    real_time, real_datetime = time.time, datetime.datetime

    def shifted() -> float:
        return real_time() + off[0]

    class Shifted(real_datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return real_datetime.now(tz) + datetime.timedelta(seconds=off[0])

    time.time = shifted
    timezone.now = lambda: Shifted.now(datetime.UTC)
    jwt.api_jwt.datetime = Shifted

    def step(number: int, frame: Any) -> None:
        off[0] -= STEP_BACK

    signal.signal(signal.SIGUSR2, step)
