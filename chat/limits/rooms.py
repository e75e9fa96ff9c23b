"""How many rooms a person may open, how often they may join one, and how much they may change in rooms.

While the store is away only the quota of writes holds.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from chat.errors import RateLimited
from chat.limits import AVAILABLE
from chat.queries.access import have_direct, is_outside
from chat.queries.people import Person

if AVAILABLE or TYPE_CHECKING:
    from chat.limits import store

GROUPS = "LIMIT_GROUPS"
DIRECT = "LIMIT_DIRECT"
JOINS = "LIMIT_JOINS"
CHANGES = "LIMIT_CHANGES"


def count_group(person: Person) -> None:
    """Count a group that is about to be opened. Raises RateLimited."""
    _count(GROUPS, person)


def uncount_group(person: Person) -> None:
    """Give back one that was there already."""
    limit = store.rate(GROUPS) if AVAILABLE else None
    if limit is not None:
        with suppress(store.Away), store.asking():
            store.limiter().hit(limit, *_key(GROUPS, person), cost=-1)


def count_direct(person: Person, other: UUID) -> None:
    """Count a direct room that is about to be opened, where the two have none yet. Raises RateLimited."""
    if AVAILABLE and store.rate(DIRECT) and not have_direct(person, other):
        _count(DIRECT, person)


def count_join(person: Person, room: UUID) -> None:
    """Count that a person is about to join a room that they are not in. Raises RateLimited.

    Ids of no room are not counted, because each count takes a place in the store.
    """
    if AVAILABLE and store.rate(JOINS) and is_outside(person, room):
        _count(JOINS, person, str(room))


def count_change(person: Person) -> None:
    """Count an event that a person is about to append to a room, other than a message. Raises RateLimited."""
    _count(CHANGES, person)


def _count(setting: str, person: Person, *more: str) -> None:
    limit = store.rate(setting) if AVAILABLE else None
    if limit is None:
        return
    key, over = (*_key(setting, person), *more), None
    with suppress(store.Away), store.asking():
        limiter = store.limiter()
        over = None if limiter.hit(limit, *key) else store.wait(limiter, limit, *key)
    if over is not None:
        raise RateLimited(retry_after=over)


def _key(setting: str, person: Person) -> tuple[str, ...]:
    return store.at(setting, str(person.pk))
