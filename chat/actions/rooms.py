"""Rooms: opened, set up, kept, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone
from uuid6 import uuid7

from chat.actions.changes import set_up_room
from chat.actions.locks import enter, lock_own_logs, self_key
from chat.actions.own_logs import tell_joined, tell_left
from chat.actions.texts import checked_name, checked_text
from chat.actions.transactions import action, while_suspended
from chat.errors import Conflict, Forbidden, Invalid, NotFound
from chat.events import draft, draft_member, record
from chat.models import Event, Membership, Profile, Room
from chat.policy import get_policy
from chat.queries.access import outsider, shares_room
from chat.serializers.messages import digest_of
from chat.serializers.rooms import RoomView

Role = Membership.Role
TITLE_MAX = 200
TOPIC_MAX = 1000
UNREACHABLE = "This person cannot be messaged."


def create_group(
    person: Profile,
    *,
    title: str,
    visibility: str,
    id: UUID | None = None,
    topic: str = "",
    history: str = Room.History.ALL,
    members: Sequence[UUID] = (),
) -> tuple[Room, bool]:
    """Open a group with its first members; the person owns it. Returns it and whether it is new.

    The same id from the same person is a repeat and opens nothing. Raises Forbidden, NotFound (a member
    who is nobody), Conflict (the id is another room's).
    """
    if not get_policy().may_create_group(person):
        raise Forbidden()
    texts = _checked_texts({"title": title, "topic": topic})
    wanted = {**texts, "visibility": visibility, "history": history}
    digest = digest_of({**wanted, "members": sorted(str(member) for member in members)})
    try:
        return _open_group(person, id or uuid7(), digest, set(members) - {person.pk}, wanted), True
    except IntegrityError:
        room = id and Room.objects.filter(pk=id, created_by=person, deleted_at=None).first()
        if not room or bytes(room.digest or b"") != digest:
            raise Conflict() from None
        return room, False


@action
def _open_group(
    person: Profile, id: UUID, digest: bytes, others: set[UUID], wanted: dict[str, Any]
) -> Room:
    found = list(Profile.objects.filter(pk__in=others))
    if len(found) < len(others):
        raise NotFound("One of these people is not here.")
    room = Room.objects.create(
        id=id, kind=Room.Kind.GROUP, created_by=person, digest=digest, **wanted
    )
    roles = {person.pk: Role.OWNER}
    _fill(room, person, [(one, roles.get(one.pk, Role.MEMBER)) for one in [person, *found]])
    return room


def _checked_texts(changes: dict[str, Any]) -> dict[str, str]:
    """Return the title and topic among some changes as they are stored. Raises Invalid."""
    found = {}
    if "title" in changes:
        found["title"] = checked_name("title", changes["title"], TITLE_MAX)
    if "topic" in changes:
        found["topic"] = checked_text("topic", changes["topic"], TOPIC_MAX, blank=True)
    return found


def _fill(room: Room, actor: Profile, people: Sequence[tuple[Profile, str]]) -> None:
    """Write the first events of a new room, its memberships, and `room.joined` to each person."""
    events: list[Event] = [draft(room, "room.created", actor=actor)]
    members = [Membership(room=room, user=person, role=role) for person, role in people]
    for member in members:
        room.members_count += 1
        member.read_seq = room.head + 1
        events.append(draft_member("member.joined", member, actor))
    Membership.objects.bulk_create(members)
    record(events, {0: RoomView(room, personal=False)})
    tell_joined(members, actor)


def open_direct(person: Profile, other_id: UUID) -> tuple[Room, bool]:
    """Return the one room of this pair and whether it is new; with oneself, one's own log.

    Raises NotFound where there is no such person, Forbidden (in one wording) where they may not be messaged.
    """
    if other_id == person.pk:
        return Room.objects.get(key=self_key(person.pk)), False
    key = "direct:" + ":".join(sorted((str(person.pk), str(other_id))))
    room = Room.objects.filter(key=key).first()
    if room is not None:
        return room, False
    other = Profile.objects.filter(pk=other_id).first()
    if other is None:
        raise NotFound()
    if not get_policy().may_open_direct(person, other, share_room=shares_room(person, other)):
        raise Forbidden(UNREACHABLE)
    try:
        return _open_pair(person, other, key), True
    except IntegrityError:
        # The other side, or this one elsewhere, was quicker: the key admits one room.
        return Room.objects.get(key=key), False


@action
def _open_pair(person: Profile, other: Profile, key: str) -> Room:
    room = Room.objects.create(kind=Room.Kind.DIRECT, key=key, created_by=person)
    _fill(room, person, [(person, Role.MEMBER), (other, Role.MEMBER)])
    return room


@action
def update_room(person: Profile, room_id: UUID, **changes: Any) -> Room:
    """Change a group's title, topic or rules. What is so already appends nothing."""
    member = enter(person, room_id)
    room = member.room
    if not get_policy().may_update_room(member, room):
        raise Forbidden()
    set_up_room(room, {**changes, **_checked_texts(changes)}, actor=person)
    return room


@action
def delete_room(person: Profile, room_id: UUID) -> None:
    """End a group for everyone. Its rows stay; nobody is in it any more."""
    member = enter(person, room_id)
    room = member.room
    if not get_policy().may_delete_room(member, room):
        raise Forbidden()
    people = [one.user for one in Membership.objects.select_related("user").filter(room=room)]
    Membership.objects.filter(room=room).delete()
    room.deleted_at, room.members_count = timezone.now(), 0
    # Its source may be imported anew.
    room.key = None
    room.save(update_fields=["deleted_at", "key"])
    record([draft(room, "room.deleted", actor=person)])
    tell_left(room, people, person)


@action
@while_suspended
def keep_room(person: Profile, room_id: UUID, **changes: Any) -> Membership:
    """Pin, archive or hush a room for oneself; one's own log tells one's other devices."""
    if not changes:
        raise Invalid("Name something to change.")
    # The membership first, as whoever leaves a room has it: own logs come last everywhere.
    mine = Membership.objects.select_for_update(no_key=True).filter(room_id=room_id, user=person)
    member = mine.first()
    if member is None:
        raise outsider(Room.objects.filter(pk=room_id, deleted_at=None).first(), person)
    changed = [name for name, value in changes.items() if getattr(member, name) != value]
    if changed:
        for name in changed:
            setattr(member, name, changes[name])
        member.save(update_fields=changed)
        log = lock_own_logs([person])[person.pk]
        kept = {"notify": member.notify, "pinned": member.pinned, "archived": member.archived}
        data = {"kept": str(room_id), **kept}
        record([draft(log, "room.kept", actor=person, data=data)])
    return member
