"""What staff do as staff: in any room, a member of it or not, each act with a reason that is kept.

The room's log tells the act and who did it, as of anyone; only the moderation entry tells why.
What was so already is not done again, and leaves neither event nor entry.
"""

from __future__ import annotations

import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chat.actions.changes import blank_message, give_role, lift_ban, put_ban, set_up_room, take_out
from chat.actions.devices import end_devices
from chat.actions.locks import lock_own_logs, lock_people, lock_room, someone_in, target_in
from chat.actions.texts import checked_text
from chat.actions.transactions import action, while_suspended
from chat.errors import Forbidden, Invalid, NotFound
from chat.events import database, draft, record
from chat.models import Membership, Message, ModerationEntry, Profile, Room
from chat.models.people import REASON_MAX
from chat.policy import get_policy
from chat.security_log import log_security_event
from chat.serializers.fields import rfc3339

Verb = ModerationEntry.Verb


@action
def moderate_delete_message(staff: Profile, message_id: UUID, reason: str) -> bool:
    """Take a message's words away, in a room of any kind. Returns whether they were there.

    This and every other verb here raises Forbidden, Invalid (no reason) and NotFound.
    """
    reason = _heard(staff, reason)
    message = _locked_message(message_id)
    done = blank_message(message, staff)
    if done:
        _enter(Verb.DELETE_MESSAGE, staff, reason, message.room, message.sender, message=message)
    return done


@action
def moderate_remove_member(staff: Profile, room_id: UUID, user_id: UUID, reason: str) -> None:
    """Put a person out of a group. Raises Conflict for its last owner."""
    reason = _heard(staff, reason)
    target = target_in(_locked_group(room_id), user_id)
    take_out(target, "member.removed", actor=staff)
    _enter(Verb.REMOVE_MEMBER, staff, reason, target.room, target.user, data={"role": target.role})


@action
def moderate_ban_member(staff: Profile, room_id: UUID, user_id: UUID, reason: str) -> bool:
    """Keep a person out of a group, in it now or not. Returns whether they were let in before.

    Raises Conflict for its last owner.
    """
    reason = _heard(staff, reason)
    room = _locked_group(room_id)
    person, member = someone_in(room, user_id)
    _, done = put_ban(room, person, member, actor=staff)
    if done:
        data = {"role": member.role} if member else {}
        _enter(Verb.BAN_MEMBER, staff, reason, room, person, data=data)
    return done


@action
def moderate_unban_member(staff: Profile, room_id: UUID, user_id: UUID, reason: str) -> None:
    """Let a person come into a group again; it does not put them back."""
    reason = _heard(staff, reason)
    room = _locked_group(room_id)
    person = lift_ban(room, user_id, actor=staff)
    _enter(Verb.UNBAN_MEMBER, staff, reason, room, person)


@action
def moderate_change_role(
    staff: Profile, room_id: UUID, user_id: UUID, role: str, reason: str
) -> bool:
    """Give a member of a group any role. Returns whether it was another. Raises Conflict for its last owner."""
    reason = _heard(staff, reason)
    if role not in Membership.Role.values:
        raise Invalid(fields={"role": ["This is no role."]})
    target = target_in(_locked_group(room_id), user_id)
    data = {"from": target.role, "to": role}
    done = give_role(target, role, actor=staff)
    if done:
        _enter(Verb.CHANGE_ROLE, staff, reason, target.room, target.user, data=data)
    return done


@action
def moderate_freeze_room(
    staff: Profile, room_id: UUID, reason: str, *, frozen: bool = True
) -> bool:
    """Let only a group's moderators write in it, or everyone again. Returns whether it was otherwise."""
    reason = _heard(staff, reason)
    room = _locked_group(room_id)
    done = set_up_room(room, {"frozen": frozen}, actor=staff)
    if done:
        _enter(Verb.FREEZE_ROOM if frozen else Verb.UNFREEZE_ROOM, staff, reason, room)
    return done


@action
def moderate_end_devices(
    staff: Profile, person_id: UUID, reason: str, ids: list[UUID] | None = None
) -> int:
    """Sign a person out on some devices, or on all; their own log tells them. Returns how many ended."""
    reason = _heard(staff, reason)
    person = Profile.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound("There is no such person.")
    ended = end_devices(person, ids, actor=staff)
    if ended:
        _enter(Verb.END_DEVICES, staff, reason, subject=person, data={"devices": ended})
    return ended


@action
def suspend(
    staff: Profile,
    profile: Profile,
    reason: str,
    until: datetime.datetime | None = None,
    *,
    note: str = "",
) -> bool:
    """Suspend a person in the whole service: they read, and every write is refused until the end, if any.

    The person may read ``reason``; ``note`` is for staff alone. Returns whether anything changed; another
    reason or end replaces what holds. Also raises Forbidden if the person has the permission to moderate.
    """
    reason = _heard(staff, reason)
    note = checked_text("note", note.strip(), REASON_MAX, blank=True)
    if until is not None and until <= timezone.now():
        raise Invalid(fields={"until": ["Give a time in the future, or leave it empty."]})
    log, person = _locked_person(profile.pk)
    if not get_policy().may_suspend_person(staff, person):
        raise Forbidden("A person who may moderate cannot be suspended.")
    if person.is_suspended and _suspension(person) == (until, reason):
        return False
    person.suspended_at, person.suspended_until = timezone.now(), until
    person.suspension_reason = reason
    _store_suspension(person, log, staff)
    data = {"until": rfc3339(until), **({"note": note} if note else {})}
    _enter(Verb.SUSPEND, staff, reason, subject=person, data=data)
    return True


@action
def lift_suspension(staff: Profile, profile: Profile, reason: str) -> bool:
    """Let a suspended person write again. Returns whether they were suspended; members do not see why."""
    reason = _heard(staff, reason)
    log, person = _locked_person(profile.pk)
    if not person.is_suspended:
        return False
    data = {"until": rfc3339(person.suspended_until)}
    person.suspended_at = person.suspended_until = None
    person.suspension_reason = ""
    _store_suspension(person, log, staff)
    _enter(Verb.LIFT_SUSPENSION, staff, reason, subject=person, data=data)
    return True


@action
@while_suspended
def note_message_read(reader: Profile, message: Message) -> None:
    """Keep that staff looked at a message's words. Whether they may is the door's to say."""
    _enter(Verb.READ_MESSAGE, reader, "", message.room, message.sender, message=message)


def _heard(staff: Profile, reason: str) -> str:
    """Return the reason, once it is sure that there is one and that this person may act on it."""
    if not get_policy().may_moderate(staff):
        raise Forbidden()
    return checked_text("reason", reason.strip(), REASON_MAX)


def _locked_person(person_id: UUID) -> tuple[Room, Profile]:
    """Return a person's own log and the person, the person locked first. Raises NotFound."""
    people = lock_people([person_id])
    if not people:
        raise NotFound("There is no such person.")
    (person,) = people
    return lock_own_logs([person])[person.pk], person


def _suspension(person: Profile) -> tuple[datetime.datetime | None, str]:
    return person.suspended_until, person.suspension_reason


def _store_suspension(person: Profile, log: Room, staff: Profile) -> None:
    """Write a person's suspension, tell their own devices of it, and log it on commit."""
    person.save(update_fields=["suspended_at", "suspended_until", "suspension_reason"])
    record([draft(log, "profile.updated", actor=staff, subject=person)])
    event = "person.suspended" if person.suspended_at else "person.suspension_lifted"
    fields = {"actor": staff.pk, "person": person.pk, "until": rfc3339(person.suspended_until)}
    transaction.on_commit(lambda: log_security_event(event, **fields), using=database())


def _locked_group(room_id: UUID) -> Room:
    room = lock_room(room_id)
    if room is None:
        raise NotFound()
    if room.kind != Room.Kind.GROUP:
        raise Forbidden("Only a group has members to manage and rules to set.")
    return room


def _locked_message(message_id: UUID) -> Message:
    """Return a message read after its room was locked."""
    room_id = Message.objects.filter(pk=message_id).values_list("room_id", flat=True).first()
    room = lock_room(room_id) if room_id else None
    if room is None:
        raise NotFound()
    message = Message.objects.select_related("sender", "reply_to__sender").get(pk=message_id)
    message.room = room
    return message


def _enter(
    verb: str,
    actor: Profile,
    reason: str,
    room: Room | None = None,
    subject: Profile | None = None,
    *,
    message: Message | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Write down an act; where it has an event, that is the last of its room's log."""
    told = room is not None and verb != Verb.READ_MESSAGE
    ModerationEntry.objects.create(
        verb=verb,
        actor=actor,
        room=room,
        seq=room.head if room and told else None,
        message=message,
        subject=subject,
        reason=reason,
        data=data or {},
    )
