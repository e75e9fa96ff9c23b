"""Where the logs of a person's rooms stand, and where the person does: what a socket begins with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from sys import intern
from typing import Any
from uuid import UUID

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from chat.conf import chat_settings
from chat.models import Membership, Profile, Room


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a room's log stands, and where its viewer does."""

    head: int
    history_from: int
    read_seq: int
    kind: str


Standings = dict[str, Standing]
# Whose rooms; with a room, that one and their own log alone.
Asked = tuple[UUID, UUID | None]


# The columns that a standing is made of.
_STANDING = ("user_id", "room_id", "room__head", "history_from", "read_seq", "room__kind")


def standings_of(asked: Collection[Asked]) -> dict[Asked, Standings]:
    """Return how people's rooms stand, by id, the most recently active first: one query for all who ask.

    Of a person's rooms there are ``LIMIT_SOCKET_ROOMS`` and their own log; a second query leaves the others out.
    """
    found: dict[Asked, Standings] = {one: {} for one in asked}
    wanted: dict[UUID, list[UUID | None]] = {}
    for person, only in asked:
        wanted.setdefault(person, []).append(only)
    most: int | None = chat_settings.LIMIT_SOCKET_ROOMS
    counts: Counter[UUID] = Counter()
    for person, name, standing in map(_read, _rows(asked)):
        own = standing.kind == Room.Kind.SELF
        counts[person] += not own
        fits = own or most is None or counts[person] <= most
        for only in wanted[person]:
            if fits if only is None else own or str(only) == name:
                found[person, only][name] = standing
    return found


def _rows(asked: Collection[Asked]) -> Iterable[tuple[Any, ...]]:
    which = Q(user__in=[person for person, only in asked if only is None])
    named = Q(room__kind=Room.Kind.SELF)
    for person, only in asked:
        if only is not None:
            which |= Q(user=person) & (Q(room=only) | Q(room__kind=Room.Kind.SELF))
            named |= Q(user=person, room=only)
    mine = Membership.objects.filter(which, room__deleted_at=None)
    rows = mine.order_by("-room__active_at", "-room_id").values_list(*_STANDING)
    most: int | None = chat_settings.LIMIT_SOCKET_ROOMS
    if most is None:
        return rows
    # Nearly always this is all there is. Ranking everybody's rooms in the database would cost each sign-in more.
    few = list(rows[: most + 2])
    if len(few) <= most + 1:
        return few
    # One more, because the own log may be among them.
    return rows.alias(rank=_rank()).filter(Q(rank__lte=most + 1) | named)


def _read(row: tuple[Any, ...]) -> tuple[UUID, str, Standing]:
    person, room, head, history_from, read_seq, kind = row
    # Thousands of sockets hold the names of the same rooms.
    return person, intern(str(room)), Standing(head, history_from, read_seq, intern(kind))


def _rank() -> Window:
    """Return the place of a membership's room among its person's, the most recently active first."""
    order = [F("room__active_at").desc(), F("room_id").desc()]
    return Window(RowNumber(), partition_by=F("user_id"), order_by=order)


def standings(viewer: Profile, only: UUID | None = None) -> Standings:
    """Return how the viewer's rooms stand; with ``only``, that room and the viewer's own log."""
    return standings_of([(viewer.pk, only)])[viewer.pk, only]


def standings_among(viewer: Profile, room_ids: Collection[UUID]) -> Standings:
    """Return how those of the rooms stand that the viewer is in, however long ago they were active."""
    mine = Membership.objects.filter(user=viewer, room__in=room_ids, room__deleted_at=None)
    return {name: standing for _, name, standing in map(_read, mine.values_list(*_STANDING))}


def count_rooms(viewer: Profile) -> int:
    """Return how many rooms the viewer is in, their own log included."""
    return Membership.objects.filter(user=viewer, room__deleted_at=None).count()
