"""What one socket may ask of this process: frames in a time, a place among the open ones, writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chat.conf import chat_settings
from chat.errors import ChatError, RateLimited
from chat.limits import AVAILABLE, reads, writes
from chat.limits.addresses import address_in
from chat.limits.frames import Flow
from chat.limits.places import places, shared
from chat.queries.people import Person
from chat.server.state import FLOW
from chat.websocket.bridge import cross
from chat.websocket.frames import failed, log_failed, parsed, ref_of, refuse
from chat.websocket.socket import Socket

if AVAILABLE or TYPE_CHECKING:
    from chat.limits import store

ADDRESS = "LIMIT_SOCKETS_ADDRESS"
PERSON = "LIMIT_SOCKETS_PERSON"
UNKNOWN = "LIMIT_SOCKETS_UNKNOWN"

# Seconds that one who comes back before that is kept waiting for the refusal: to ask again and again costs sign-ins.
KEPT_WAITING = 1

# Tasks that nothing refers to are collected while they run.
_saying: set[asyncio.Task[None]] = set()


def rate_told(setting: str) -> dict[str, int] | None:
    """Return ``{count, seconds}``, or None where there is no limit."""
    rate = store.rate(setting) if AVAILABLE else None
    return {"count": rate.amount, "seconds": rate.get_expiry()} if rate else None


# Until when, by the monotonic clock, people whose sockets flooded this process open no other here.
_flooded: dict[UUID, float] = {}


async def refuse_flooder(person: Person) -> None:
    """Turn away somebody whose socket was just closed for flooding, slowly. Raises RateLimited."""
    left = _flooded.get(person.pk, 0) - time.monotonic()
    if left > 0:
        await asyncio.sleep(KEPT_WAITING)
        raise RateLimited("Too many frames.", retry_after=max(1, ceil(left)))


def note_flood(flow: Flow, socket: Socket) -> None:
    """Keep a person out until the window ends if the server closed their connection for its frames."""
    if flow.flooding and not socket.closing:
        log_failed(RateLimited("Too many frames."), socket, "frames")
        _note_flooder(socket.viewer, flow.ends)


def _note_flooder(person: Person, until: float) -> None:
    now = time.monotonic()
    for other in [other for other, ends in _flooded.items() if ends <= now]:
        del _flooded[other]
    _flooded[person.pk] = until


def flow_of(scope: dict[str, Any]) -> Flow:
    """Return the counts of a connection, which the server shares if it is ours."""
    state = scope.setdefault("state", {})
    if FLOW not in state:
        state[FLOW] = Flow()
    flow: Flow = state[FLOW]
    return flow


def takes(flow: Flow, socket: Socket, message: dict[str, Any]) -> bool:
    """Count a message, whatever it holds; answer one above the limit, and close a socket that floods."""
    if socket.closing:
        return False
    if flow.count(1):
        return True
    refusal = RateLimited("Too many frames.", retry_after=flow.retry_after)
    log_failed(refusal, socket, "frames")
    if flow.flooding:
        refuse(socket, refusal)
        _note_flooder(socket.viewer, flow.ends)
    else:
        socket.answer(failed(refusal, _ref(message)))
    return False


def _ref(message: dict[str, Any]) -> dict[str, Any]:
    """Return the ref of a frame, as far as it has one."""
    if len(message.get("text") or "") > chat_settings.FRAME_MAX:
        return {}
    try:
        return ref_of(parsed(message))
    except ChatError:
        return {}


async def count_write(person: Person) -> None:
    """Count a write of a person, over whichever door. Raises RateLimited."""
    if not writes.spend(person.pk):
        await cross(writes.buy, person.pk)


async def count_read(person: Person) -> None:
    """Count a read of a person, over REST and sockets together. Raises RateLimited."""
    if not reads.spend(person.user_id):
        await cross(reads.buy, person.user_id)


def place_of_address(scope: dict[str, Any], setting: str = ADDRESS) -> Any:
    """Hold one of the places of an address, for an ``async with``. Raises RateLimited."""
    return _place(setting, address_in(scope))


def place_of_person(person: Person) -> Any:
    """Hold one of the places of a person, for an ``async with``. Raises RateLimited."""
    return _place(PERSON, str(person.pk))


@asynccontextmanager
async def _place(setting: str, who: str) -> AsyncIterator[None]:
    limit: int | None = getattr(chat_settings, setting)
    if limit is None:
        yield
        return
    key = f"{setting}:{who}"
    if shared():
        await _taken(key, limit)
    else:
        places.take(key, limit)
    try:
        yield
    finally:
        _leave(key)


async def _taken(key: str, limit: int) -> None:
    taking = asyncio.ensure_future(cross(places.take, key, limit))
    try:
        await asyncio.shield(taking)
    except asyncio.CancelledError:
        # The thread goes on, and what it takes nobody would give back.
        taking.add_done_callback(partial(_given_back, key))
        raise


def _given_back(key: str, taking: asyncio.Task[None]) -> None:
    if taking.exception() is None:
        _leave(key)


def _leave(key: str) -> None:
    places.leave(key)
    if places.unsaid and not any(
        not task.done() and task.get_loop().is_running() for task in _saying
    ):
        task = asyncio.create_task(_say())
        _saying.add(task)
        task.add_done_callback(_saying.discard)


async def _say() -> None:
    """Tell the other processes of all places that are given back meanwhile: one crossing for many."""
    while places.unsaid:
        if not await cross(places.say):
            return


async def keep_places() -> None:
    """Tell the other processes every few seconds that this one lives, and so its sockets count."""
    while True:
        if shared():
            await cross(places.say)
        await asyncio.sleep(chat_settings.RECHECK)
