"""Rooms, locked: whoever holds the row decides what comes next in that room."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from chat.errors import NotFound
from chat.models import Membership, Profile, Room
from chat.queries.access import outsider


def lock_room(room_id: UUID) -> Room | None:
    """Lock a living room. NO KEY, so that rows which merely refer to it can still be written."""
    return Room.objects.select_for_update(no_key=True).filter(pk=room_id, deleted_at=None).first()


def enter(viewer: Profile, room_id: UUID) -> Membership:
    """Lock the room and return the viewer's membership, read after the lock. Raises NotFound, Forbidden."""
    room = lock_room(room_id)
    if room is None:
        raise NotFound()
    member = Membership.objects.filter(room=room, user=viewer).first()
    if member is None:
        raise outsider(room, viewer)
    member.room, member.user = room, viewer
    return member


def target_in(room: Room, user_id: UUID) -> Membership:
    """Return another person's membership of a locked room. Raises NotFound."""
    target = Membership.objects.select_related("user").filter(room=room, user_id=user_id).first()
    if target is None:
        raise NotFound("This person is not in the room.")
    target.room = room
    return target


def shared_rooms(person: Profile) -> QuerySet[Room]:
    """Return the rooms that a person shares with others."""
    mine = Membership.objects.filter(user=person).values("room")
    return Room.objects.filter(pk__in=mine, deleted_at=None).exclude(kind=Room.Kind.SELF)


def lock_rooms_of(person: Profile) -> list[Room]:
    """Lock the rooms that a person shares with others, in the one order of all locks."""
    shared = shared_rooms(person).select_for_update(no_key=True)
    return list(shared.order_by("kind", "pk"))


def someone_in(room: Room, user_id: UUID) -> tuple[Profile, Membership | None]:
    """Return a person, and their membership of a locked room if they are in it. Raises NotFound."""
    person = Profile.objects.filter(pk=user_id).first()
    if person is None:
        raise NotFound("There is no such person.")
    member = Membership.objects.filter(room=room, user=person).first()
    if member is not None:
        member.room, member.user = room, person
    return person, member


def lock_people(ids: Iterable[UUID]) -> list[Profile]:
    """Lock profiles, in the order of their ids: after a room, and before own logs.

    Until the transaction ends, neither their consent changes nor is their account deleted.
    """
    people = Profile.objects.select_for_update(no_key=True).filter(pk__in=set(ids))
    return list(people.order_by("pk"))


def self_key(person_id: UUID) -> str:
    """Return the key of a person's own log."""
    return f"self:{person_id}"


def lock_own_logs(people: Iterable[Profile]) -> dict[UUID, Room]:
    """Lock the own logs of people, by id, after any other room. Returns them by person."""
    keys = {self_key(person.pk): person.pk for person in people}
    logs = Room.objects.select_for_update(no_key=True).filter(key__in=keys).order_by("pk")
    return {keys[log.key or ""]: log for log in logs}
