"""Who is in which room, and what those are told who are not."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from chat.errors import ChatError, Forbidden, NotFound
from chat.models import Ban, Membership, Profile, Room


def outsider(room: Room | None, person: Profile) -> ChatError:
    """Return what someone who is not a member is told: of a private room, that there is none.

    Only of a public one is it asked whether a ban keeps them out: one query, and only to refuse.
    """
    if room is None or room.visibility != Room.Visibility.PUBLIC:
        return NotFound()
    if is_banned(person, room):
        return Forbidden("You are banned from this room.", reason="banned")
    return Forbidden("Join this room first.")


def is_banned(person: Profile, room: Room) -> bool:
    """Say whether a ban keeps the person out of the room."""
    return Ban.objects.filter(room=room, user=person).exists()


def membership_of(viewer: Profile, room_id: UUID) -> Membership:
    """Return the viewer's membership, its room loaded. Raises NotFound or Forbidden."""
    places = Membership.objects.select_related("room")
    # There is one at the most, so without first() and what it orders by.
    found = places.filter(room_id=room_id, user=viewer, room__deleted_at=None)
    member = next(iter(found), None)
    if member is None:
        raise outsider(Room.objects.filter(pk=room_id, deleted_at=None).first(), viewer)
    member.user = viewer
    return member


def is_outside(person: Profile, room_id: UUID) -> bool:
    """Say whether the room is there and the person is not a member of it."""
    rooms = Room.objects.filter(pk=room_id, deleted_at=None)
    return rooms.exclude(memberships__user=person).exists()


def shares_room(viewer: Profile, other: Profile) -> bool:
    """Say whether the viewer is in some group that the other person came into by themselves."""
    return bool(sharing_room(viewer, [other.pk]))


def sharing_room(viewer: Profile, others: Collection[UUID]) -> set[UUID]:
    """Return those of the people who are in some group with the viewer.

    A group that a person was put into by somebody else does not count for that person.
    """
    chosen = Membership.objects.filter(user__in=others, added=False)
    shared = chosen.filter(room__kind=Room.Kind.GROUP, room__memberships__user=viewer)
    return set(shared.values_list("user_id", flat=True))


def have_direct(viewer: Profile, other: UUID) -> bool:
    """Say whether the two have their direct room already; with oneself one always has a room."""
    ours = Room.objects.filter(kind=Room.Kind.DIRECT, memberships__user=viewer)
    return viewer.pk == other or ours.filter(memberships__user=other).exists()
