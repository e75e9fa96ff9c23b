"""Bugs that the checker must find when they are real: each breaks a server under test in one known way."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any


def ack_before_commit() -> None:
    """Once SIGUSR1 came, the next message is acknowledged before its commit, and the process dies between the two."""
    import signal
    import threading

    from django.db.backends.postgresql.base import DatabaseWrapper
    from django.db.backends.signals import connection_created

    from tests.faults.points import die

    armed, commit = threading.Event(), DatabaseWrapper._commit

    def _commit(self: Any) -> None:
        wrote, self.wrote_message = getattr(self, "wrote_message", False), False
        if armed.is_set() and wrote:
            self._rollback()
            threading.Timer(0.2, die).start()
        else:
            commit(self)

    def note(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if 'INSERT INTO "chat_message"' in sql:
            context["connection"].wrote_message = True
        return run(sql, params, many, context)

    def wrap(connection: Any, **kwargs: Any) -> None:
        if note not in connection.execute_wrappers:
            connection.execute_wrappers.append(note)

    connection_created.connect(wrap, weak=False)
    DatabaseWrapper._commit = _commit
    signal.signal(signal.SIGUSR1, lambda number, frame: armed.set())


def dedupe_in_memory() -> None:
    """What was sent before is known to the process that took it, and to no other."""
    from uuid6 import uuid7

    from chat.actions.sending import Draft

    known: dict[Any, Any] = {}
    make = Draft.__init__

    def remembering(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        object.__setattr__(self, "id", known.setdefault(self.id, uuid7()))

    Draft.__init__ = remembering


def order_by_id() -> None:
    """Histories are sorted by the row's id and not by its seq."""
    from chat.queries import messages

    seen = messages._seen

    class ById:
        """A query whose order is asked for and not given."""

        def __init__(self, query: Any) -> None:
            self.query = query

        def __getattr__(self, name: str) -> Any:
            return getattr(self.query, name)

        def filter(self, *args: Any, **kwargs: Any) -> ById:
            return ById(self.query.filter(*args, **kwargs))

        def order_by(self, field: str) -> Any:
            return self.query.order_by(field.replace("seq", "pk"))

    messages._seen = lambda member: ById(seen(member))


def resume_from_cursor() -> None:
    """A resume gives what is at the cursor and beyond, instead of what is beyond."""
    from chat.websocket import replay

    right = replay._replay

    async def one_too_many(hub: Any, socket: Any, cursors: dict[str, int], mine: Any) -> Any:
        for room, seq in cursors.items():
            cursors[room] = max(0, seq - 1)
        return await right(hub, socket, cursors, mine)

    replay._replay = one_too_many


def no_repair() -> None:
    """Groups are kept in Redis, and nobody asks the log whether something was missed, nor says how far it goes."""
    from django.conf import settings

    settings.CHANNEL_LAYERS["default"]["BACKEND"] = "channels_redis.core.RedisChannelLayer"
    settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"] = [
        settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["address"]
    ]
    _deaf_to_the_log()


def lossy_layer() -> None:
    """The layer drops nine of ten messages, and nobody says how far the rooms have come."""
    from chat.outlets import sockets

    send = sockets.send_to_layer

    async def send_to_layer(items: Any, **labels: str) -> None:
        if random.random() < 0.1:
            await send(items, **labels)

    sockets.send_to_layer = send_to_layer
    _deaf_to_the_log()


def _deaf_to_the_log() -> None:
    from django.conf import settings

    from chat.queries import log
    from chat.websocket.socket import Socket

    settings.CHAT["TICK_ALL"] = 86_400
    log.recent_heads = lambda seconds: {}
    right = Socket.answer

    def answer(self: Any, shape: dict[str, Any]) -> None:
        right(self, {**shape, "rooms": {}} if shape["type"] == "heads" else shape)

    Socket.answer = answer


def removed_hear_on() -> None:
    """Whoever is removed keeps their seat."""
    from chat.websocket import effects

    effects.PARTINGS.pop("member.removed")
    effects.EFFECTS.pop("room.left")


BUGS: dict[str, Callable[[], None]] = {
    "ack-before-commit": ack_before_commit,
    "dedupe-in-memory": dedupe_in_memory,
    "order-by-id": order_by_id,
    "resume-from-cursor": resume_from_cursor,
    "no-repair": no_repair,
    "lossy-layer": lossy_layer,
    "removed-hear-on": removed_hear_on,
}
