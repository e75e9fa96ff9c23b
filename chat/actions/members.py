"""Members: in, out, up, down, silent."""

from __future__ import annotations

import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from chat.actions.changes import give_role, take_out
from chat.actions.consent import keep_consent
from chat.actions.locks import enter, lock_people, lock_room, target_in
from chat.actions.own_logs import tell_joined
from chat.actions.transactions import action, while_suspended
from chat.errors import Conflict, Forbidden, Invalid, NotFound
from chat.events import draft_member, record
from chat.models import Event, Membership, Message, Profile, Room
from chat.policy import get_policy
from chat.queries.access import is_banned, outsider

Role = Membership.Role
GONE = ("member.left", "member.removed", "member.banned")


@action
def join_room(person: Profile, room_id: UUID) -> Membership:
    """Come into a public group; who is in already stays as they are."""
    room = lock_room(room_id)
    if room is None:
        raise NotFound()
    member = Membership.objects.filter(room=room, user=person).first()
    if member is not None:
        member.room, member.user = room, person
        if member.added:
            # The person was put in by others, and now chooses the group.
            member.added = False
            member.save(update_fields=["added"])
        return member
    if is_banned(person, room) or not get_policy().may_join_room(person, room):
        raise outsider(room, person)
    if any(one.deleted_at for one in lock_people([person.pk])):
        raise outsider(room, person)
    return _bring_in(room, person, _role_of_joiner(room), actor=person)


def _role_of_joiner(room: Room) -> str:
    """Return owner for the first who joins a group whose owners' accounts are all deleted, else member."""
    owners = Membership.objects.filter(room=room, role=Role.OWNER)
    deleted = owners.values_list("user__deleted_at", flat=True)
    return Role.OWNER if deleted and all(deleted) else Role.MEMBER


@action
def add_member(
    person: Profile,
    room_id: UUID,
    user_id: UUID,
    role: str = Role.MEMBER,
    *,
    ask_consent: bool = True,
) -> tuple[Membership, bool]:
    """Bring a person into a group. Returns the membership and whether it is new; a repeat changes no role.

    Raises NotFound, Forbidden (also: the person does not consent, or left the group twice), Conflict (a
    ban keeps the person out: it is to be lifted first). A host's own code may leave the consent unasked.
    """
    me = enter(person, room_id)
    if not get_policy().may_add_member(me, me.room, role):
        raise Forbidden()
    other = Profile.objects.filter(pk=user_id).first()
    if other is None:
        raise NotFound("There is no such person.")
    member = Membership.objects.filter(room=me.room, user=other).first()
    if member is not None:
        member.room, member.user = me.room, other
        return member, False
    if is_banned(other, me.room):
        raise Conflict("This person is banned from this room. Lift the ban first.")
    (other,) = lock_people([other.pk])
    keep_consent(person, me.room, [other], ask_consent=ask_consent)
    return _bring_in(me.room, other, role, actor=person), True


def _bring_in(room: Room, person: Profile, role: str, *, actor: Profile) -> Membership:
    place = room.head + 1
    added = person.pk != actor.pk
    member = Membership(room=room, user=person, role=role, read_seq=place, added=added)
    if room.history == Room.History.JOINED:
        member.history_from = room.history_floor = place
    _keep_bounds(member)
    member.save()
    room.members_count += 1
    record([draft_member("member.joined", member, actor)])
    tell_joined([member], actor)
    return member


def _keep_bounds(member: Membership) -> None:
    """Let a silence and the pace of a slow room outlast going and coming back."""
    went = Event.objects.filter(room=member.room, subject=member.user, type__in=GONE)
    # A ban of somebody who was not in tells of no membership.
    last = went.filter(data__has_key="membership").order_by("-seq").first()
    until = last and last.data["membership"]["muted_until"]
    member.muted_until = parse_datetime(until) if until else None
    if member.room.slow_mode:
        said = Message.objects.filter(room=member.room, sender=member.user).order_by("-seq")
        member.sent_at = said.values_list("created_at", flat=True).first()


@action
@while_suspended
def leave_room(person: Profile, room_id: UUID) -> None:
    """Go out of a group. Raises Conflict for its last owner, Forbidden where there is no going."""
    member = enter(person, room_id)
    if member.room.kind != Room.Kind.GROUP:
        raise Forbidden("Only a group can be left.")
    take_out(member, "member.left", actor=person)


@action
def remove_member(person: Profile, room_id: UUID, user_id: UUID) -> None:
    """Put a person out of a group; their sockets hear nothing of it after this event."""
    me = enter(person, room_id)
    target = target_in(me.room, user_id)
    if me.room.kind != Room.Kind.GROUP or user_id == person.pk:
        raise Forbidden()
    if not get_policy().may_remove_member(me, target):
        raise Forbidden()
    take_out(target, "member.removed", actor=person)


@action
def change_role(person: Profile, room_id: UUID, user_id: UUID, role: str) -> Membership:
    """Give a member another role. Raises Conflict where the room would be left without an owner."""
    me = enter(person, room_id)
    target = target_in(me.room, user_id)
    if me.room.kind != Room.Kind.GROUP or not get_policy().may_change_role(me, target, role):
        raise Forbidden()
    give_role(target, role, actor=person)
    return target


@action
def change_member(person: Profile, room_id: UUID, user_id: UUID, changes: dict[str, Any]) -> None:
    """Give a member the ``role`` and the ``muted_until`` that are named: all of it, or nothing if one is refused."""
    # The role first: the right to give a role includes the right to mute.
    if "role" in changes:
        change_role(person, room_id, user_id, changes["role"])
    if "muted_until" in changes:
        mute_member(person, room_id, user_id, changes["muted_until"])


@action
def mute_member(
    person: Profile, room_id: UUID, user_id: UUID, until: datetime.datetime | None
) -> Membership:
    """Let a member write nothing until a moment; none ends the silence.

    Raises NotFound, Forbidden (also: oneself), Invalid (the moment is not in the future).
    """
    me = enter(person, room_id)
    target = target_in(me.room, user_id)
    if me.room.kind != Room.Kind.GROUP or not get_policy().may_mute_member(me, target):
        raise Forbidden()
    if until is not None and user_id == person.pk:
        raise Forbidden("You cannot mute yourself.")
    if until is not None and until <= timezone.now():
        raise Invalid(fields={"muted_until": ["Give a moment in the future, or null."]})
    if target.muted_until != until:
        target.muted_until = until
        target.save(update_fields=["muted_until"])
        record([draft_member("member.muted", target, person)])
    return target
