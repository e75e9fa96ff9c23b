"""Rooms: opened, set up, kept, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone
from uuid6 import uuid7

from chat.actions.changes import set_up_room
from chat.actions.consent import keep_consent
from chat.actions.locks import enter, lock_own_logs, lock_people, self_key
from chat.actions.own_logs import tell_joined, tell_left
from chat.actions.texts import checked_name, checked_text
from chat.actions.transactions import action, while_suspended
from chat.errors import Conflict, Forbidden, Invalid, NotFound
from chat.events import draft, draft_member, record
from chat.models import Event, Membership, Profile, Room
from chat.policy import UNREACHABLE, get_policy
from chat.queries.access import outsider, shares_room
from chat.serializers.messages import digest_of
from chat.serializers.rooms import RoomView

Role = Membership.Role
TITLE_MAX = 200
TOPIC_MAX = 1000


def create_group(
    person: Profile,
    *,
    title: str,
    visibility: str,
    id: UUID | None = None,
    topic: str = "",
    history: str = Room.History.ALL,
    members: Sequence[UUID] = (),
    ask_consent: bool = True,
) -> tuple[Room, bool]:
    """Open a group with its first members; the person owns it. Returns it and whether it is new.

    The same id from the same person is a repeat and opens nothing. Raises Forbidden (also: a member does
    not consent), NotFound (a member who is nobody), Conflict (the id is another room's). A host's own code
    may leave the members' consent unasked.
    """
    if not get_policy().may_create_group(person):
        raise Forbidden()
    texts = _checked_texts({"title": title, "topic": topic})
    wanted = {**texts, "visibility": visibility, "history": history}
    digest = digest_of({**wanted, "members": sorted(str(member) for member in members)})
    others = set(members) - {person.pk}
    try:
        return _open_group(person, id or uuid7(), digest, others, wanted, ask_consent), True
    except IntegrityError:
        room = id and Room.objects.filter(pk=id, created_by=person, deleted_at=None).first()
        if not room or bytes(room.digest or b"") != digest:
            raise Conflict() from None
        return room, False


@action
def _open_group(
    person: Profile,
    id: UUID,
    digest: bytes,
    others: set[UUID],
    wanted: dict[str, Any],
    ask_consent: bool,
) -> Room:
    if Profile.objects.filter(pk__in=others).count() < len(others):
        raise NotFound("One of these people is not here.")
    # The room first: a repeat is found by its id, whatever its members have chosen since.
    room = Room.objects.create(
        id=id, kind=Room.Kind.GROUP, created_by=person, digest=digest, **wanted
    )
    found = [one for one in _lock_openers(person, others) if one.pk != person.pk]
    keep_consent(person, room, found, ask_consent=ask_consent)
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


def _lock_openers(person: Profile, others: Iterable[UUID]) -> list[Profile]:
    """Lock the first people of a new room. Raises Forbidden if the account that opens it was deleted."""
    people = lock_people([person.pk, *others])
    if any(one.deleted_at for one in people if one.pk == person.pk):
        raise Forbidden()
    return people


def _fill(room: Room, actor: Profile, people: Sequence[tuple[Profile, str]]) -> None:
    """Write the first events of a new room, its memberships, and `room.joined` to each person."""
    events: list[Event] = [draft(room, "room.created", actor=actor)]
    group = room.kind == Room.Kind.GROUP
    members = [
        Membership(room=room, user=one, role=role, added=group and one.pk != actor.pk)
        for one, role in people
    ]
    for member in members:
        room.members_count += 1
        member.read_seq = room.head + 1
        events.append(draft_member("member.joined", member, actor))
    Membership.objects.bulk_create(members)
    record(events, {0: RoomView(room, personal=False)})
    tell_joined(members, actor)


def open_direct(person: Profile, other_id: UUID, *, ask_consent: bool = True) -> tuple[Room, bool]:
    """Return the one room of this pair and whether it is new; with oneself, one's own log.

    Raises NotFound where there is no such person, Forbidden (in one wording) where they may not be messaged.
    A room that is there stays, whatever the other person chooses later. A host's own code may leave the
    consent unasked.
    """
    if other_id == person.pk:
        return Room.objects.get(key=self_key(person.pk)), False
    key = "direct:" + ":".join(sorted((str(person.pk), str(other_id))))
    room = Room.objects.filter(key=key).first()
    if room is not None:
        return room, False
    if not Profile.objects.filter(pk=other_id).exists():
        raise NotFound()
    try:
        return _open_pair(person, other_id, key, ask_consent), True
    except IntegrityError:
        # The other side, or this one elsewhere, was quicker: the key admits one room.
        return Room.objects.get(key=key), False


@action
def _open_pair(person: Profile, other_id: UUID, key: str, ask_consent: bool) -> Room:
    room = Room.objects.create(kind=Room.Kind.DIRECT, key=key, created_by=person)
    (other,) = (one for one in _lock_openers(person, [other_id]) if one.pk == other_id)
    may_open = get_policy().may_open_direct
    if other.deleted_at or (
        ask_consent and not may_open(person, other, share_room=shares_room(person, other))
    ):
        raise Forbidden(UNREACHABLE)
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
