"""The log of a room, and what a cursor into it is still missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, takewhile
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from chat.conf import chat_settings
from chat.events import (
    EVENTS,
    Published,
    database,
    encode,
    event_shape,
    hidden_shape,
    published,
)
from chat.models import Event, Membership, Profile, Room
from chat.queries.access import membership_of
from chat.queries.epoch import current_epoch
from chat.queries.rooms import room_views
from chat.serializers import events as shapes
from chat.serializers.rooms import RoomView, room_shape

# Rooms that one look reads: each is a term of one OR, and SQLite nests those to a depth of 1,000.
SLICE = 100

# Of a room's log: past the first place, up to the last.
Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Log:
    """A stretch of a room's log in order; ``reset`` says why a cursor is of no use any more."""

    events: list[dict[str, Any]]
    head: int
    reset: str | None = None


@dataclass(slots=True)
class Missing:
    """What a set of cursors misses; ``more``: ask again with the cursors moved on."""

    epoch: str
    rooms: dict[str, Log] = field(default_factory=dict)
    joined: list[dict[str, Any]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    more: bool = False


def log(viewer: Profile, room_id: UUID, *, after: int, limit: int) -> tuple[Log, str]:
    """Return up to ``limit`` events past ``after``, and the epoch. Raises NotFound, Forbidden."""
    epoch = current_epoch()
    member = membership_of(viewer, room_id)
    if after > member.room.head:
        return Log([], member.room.head, reset="ahead"), epoch
    # Up to the head that was read with the membership: what came later may be after a removal.
    past = Q(room=room_id, seq__gt=after, seq__lte=member.room.head)
    found = _loaded(past).order_by("seq")[:limit]
    rows = _unbroken(found, after)
    if after < member.room.head and not rows:
        return Log([], member.room.head, reset="pruned"), epoch
    return Log(shown(viewer, rows, {room_id: member.history_from}), member.room.head), epoch


def sync(viewer: Profile, epoch: str, cursors: dict[UUID, int], *, limit: int) -> Missing:
    """Return what the cursors miss in all of the viewer's rooms, at most ``limit`` events at once."""
    missing = Missing(current_epoch())
    members = Membership.objects.filter(user=viewer, room__deleted_at=None).select_related("room")
    mine = {member.room_id: member for member in members}
    known = {room: member for room, member in mine.items() if room in cursors}
    new = [room for room in mine if room not in cursors]
    missing.left = [str(room) for room in cursors if room not in mine]
    missing.joined = [room_shape(view) for view in room_views(viewer, new[:SLICE]).values()]
    if epoch == missing.epoch:
        _fill(missing, viewer, known, cursors, limit)
    else:
        missing.rooms = {str(r): Log([], m.room.head, reset="epoch") for r, m in known.items()}
    missing.more = missing.more or len(new) > SLICE
    return missing


def _fill(
    missing: Missing,
    viewer: Profile,
    mine: dict[UUID, Membership],
    cursors: dict[UUID, int],
    limit: int,
) -> None:
    wanted: dict[UUID, int] = {}
    for room, member in mine.items():
        reason = lost(cursors[room], member.room.head)
        if reason:
            missing.rooms[str(room)] = Log([], member.room.head, reset=reason)
        elif cursors[room] < member.room.head:
            wanted[room] = cursors[room]
    rows, missing.more = _page(wanted, mine, limit)
    for room, cursor in wanted.items():
        found = [row for row in rows if row.room_id == room]
        if not found and missing.more:
            continue
        stretch = _unbroken(found, cursor)
        events = shown(viewer, stretch, {room: mine[room].history_from})
        head = mine[room].room.head
        missing.rooms[str(room)] = Log(events, head, reset=None if stretch else "pruned")


def _unbroken(rows: Iterable[Event], after: int) -> list[Event]:
    """Return the rows up to the first hole: where old events were pruned, never a part that looks whole."""
    places = count(after + 1)
    return list(takewhile(lambda row: row.seq == next(places), rows))


def _page(
    wanted: dict[UUID, int], mine: dict[UUID, Membership], limit: int
) -> tuple[list[Event], bool]:
    """Return the events past the cursors of the first rooms, in order, and whether there are more.

    Up to the heads that were read with the memberships: what came later may be after a removal.
    """
    if not wanted:
        return [], False
    ranges = Q()
    for room, seq in list(wanted.items())[:SLICE]:
        ranges |= Q(room=room, seq__gt=seq, seq__lte=mine[room].room.head)
    rows = list(_loaded(ranges).order_by("room_id", "seq")[: limit + 1])
    return rows[:limit], len(rows) > limit or len(wanted) > SLICE


def replay(
    viewer: Profile, stretches: Mapping[str, Stretch]
) -> tuple[list[tuple[str, int, str]], set[str]]:
    """Return the events of these stretches as (room, seq, frame), in order, and the rooms that are not the viewer's.

    They are as many as asked for, but for those that were pruned: the asker bounds them.
    """
    ranges = Q()
    for room, (after, last) in stretches.items():
        ranges |= Q(room=UUID(room), seq__gt=after, seq__lte=last)
    # The right to them is read in the same statement: this names the membership that the filter has joined.
    seen = _loaded(ranges).filter(room__memberships__user=viewer, room__deleted_at=None)
    found = seen.annotate(begins=F("room__memberships__history_from"))
    # Ordered here: told to order by two of so many columns, Django compares them all, which takes longest of all.
    rows = sorted(found, key=lambda row: (row.room_id, row.seq))
    begins = {row.room_id: row.begins for row in rows}
    frames = [
        (str(row.room_id), row.seq, encode(shape))
        for row, shape in zip(rows, shown(viewer, rows, begins), strict=True)
    ]
    return frames, _not_mine(viewer, {UUID(room) for room in stretches} - set(begins))


def _not_mine(viewer: Profile, places: set[UUID]) -> set[str]:
    if not places:
        return set()
    found = Membership.objects.filter(user=viewer, room__in=places, room__deleted_at=None)
    return {str(room) for room in places - set(found.values_list("room", flat=True))}


def lost(cursor: int, head: int) -> str | None:
    """Return why a cursor cannot be caught up with event by event, or None."""
    if cursor > head:
        return "ahead"
    return "too_far" if head - cursor > chat_settings.RESUME_MAX else None


def _past(cursors: dict[UUID, int]) -> Q:
    ranges = Q()
    for room, seq in cursors.items():
        ranges |= Q(room=room, seq__gt=seq)
    return ranges


def _loaded(which: Q) -> QuerySet[Event]:
    return Event.objects.filter(which).select_related(
        "room", "actor", "subject", "message__sender", "message__reply_to__sender"
    )


def shown(
    viewer: Profile, rows: Sequence[Event], begins: Mapping[UUID, int]
) -> list[dict[str, Any]]:
    """Return events as the viewer, whose history of each room begins somewhere, sees them.

    Every seq, with ``hidden`` for what they may not see.
    """
    views = {**_snapshots(rows), **_joinings(viewer, rows)}
    return [_shown(row, begins[row.room_id], views.get(row.pk)) for row in rows]


def _shown(row: Event, history_from: int, view: RoomView | None) -> dict[str, Any]:
    about = row.message.seq if row.message else row.seq
    unseen = about < history_from or (_is_joining(row) and view is None)
    return hidden_shape(row) if unseen else event_shape(row, view, visible_from=history_from)


def _is_joining(row: Event) -> bool:
    return EVENTS[row.type].payload is shapes.JoinedPayload


def _snapshots(rows: Iterable[Event]) -> dict[int, RoomView]:
    """Return the neutral room that each event with a snapshot shows."""
    payload = shapes.SnapshotPayload
    return {
        row.pk: RoomView(row.room, personal=False)
        for row in rows
        if EVENTS[row.type].payload is payload
    }


def _joinings(viewer: Profile, rows: Iterable[Event]) -> dict[int, RoomView]:
    """Return the room that each `room.joined` of an own log shows; one no longer its person's is left out."""
    joined = {row.pk: UUID(row.data["joined"]) for row in rows if _is_joining(row)}
    mine = room_views(viewer, set(joined.values())) if joined else {}
    return {pk: mine[room] for pk, room in joined.items() if room in mine}


def missed(cursors: dict[str, int], limit: int) -> list[Published]:
    """Return, for the hub, what a process missed in its rooms: as it was published, in order."""
    if not cursors:
        return []
    ranges = _past({UUID(room): seq for room, seq in list(cursors.items())[:SLICE]})
    rows = list(_loaded(ranges).order_by("room_id", "seq")[:limit])
    views = _snapshots(rows)
    for owner, own in _by_owner([row for row in rows if _is_joining(row)]):
        views.update(_joinings(owner, own))
    return [_republished(row, views.get(row.pk)) for row in rows]


def _by_owner(rows: Sequence[Event]) -> Iterator[tuple[Profile, list[Event]]]:
    """Yield people with the rows of their own logs."""
    logs = {row.room_id for row in rows}
    owners = Membership.objects.select_related("user").filter(room__in=logs) if logs else []
    for owner in owners:
        yield owner.user, [row for row in rows if row.room_id == owner.room_id]


def _republished(row: Event, view: RoomView | None) -> Published:
    if _is_joining(row) and view is None:
        text = encode(hidden_shape(row))
        return Published(str(row.room_id), row.seq, row.type, text, row.seq)
    return published(row, view)


def recent_heads(seconds: int) -> dict[str, int]:
    """Return the head of every room that something happened in lately, by the servers' clocks."""
    since = timezone.now() - timedelta(seconds=seconds)
    # Not the last of these events: by a clock that is slow it may be an earlier one.
    lately = Event.objects.using(database()).filter(created_at__gt=since).values("room")
    rows = Room.objects.using(database()).filter(pk__in=lately).values_list("pk", "head")
    return {str(room): head for room, head in rows}


def heads_of(rooms: Sequence[str]) -> dict[str, int]:
    """Return the heads of rooms, in as few queries as the list needs."""
    found: dict[str, int] = {}
    for start in range(0, len(rooms), 5_000):
        some = Room.objects.using(database()).filter(pk__in=rooms[start : start + 5_000])
        rows = some.values_list("pk", "head")
        found.update((str(room), head) for room, head in rows)
    return found
