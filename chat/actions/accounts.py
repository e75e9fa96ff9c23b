"""End a person whose account the host deleted: leave rooms, name heirs, end devices."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from chat.actions.changes import give_role, set_up_room, take_out
from chat.actions.devices import end_devices
from chat.actions.locks import lock_own_logs, lock_people, lock_rooms_of, shared_rooms
from chat.actions.transactions import action, while_suspended
from chat.events import database, draft, record
from chat.models import Membership, Profile, Room
from chat.policy import RANK
from chat.queries.people import person_of_account, without_account

Role = Membership.Role
# Attempts to lock the rooms of a person; one fails if somebody adds the person to another room meanwhile.
LOCK_TRIES = 5


def account_deleted(sender: Any, instance: Any, using: str, **kwargs: Any) -> None:
    """Receive ``pre_delete`` of the host's user model, and end the account's person.

    In one database both happen in one transaction. With two databases the person is ended after
    the host's transaction commits, so a rollback changes neither.
    """
    key = instance.pk
    if using == database():
        end_account(key)
    else:
        transaction.on_commit(lambda: end_account(key), using=using, robust=True)


def end_account(key: Any) -> None:
    """End the person of an account, if the account was ever seen."""
    person = person_of_account(key)
    if person is not None:
        end_person(person)


def end_missing() -> int:
    """End the people whose accounts were deleted without a signal, and return their number."""
    return sum(end_person(person) for person in without_account())


@action
@while_suspended
def end_person(person: Profile) -> bool:
    """End a person whose account is deleted. Returns whether they were not ended before.

    They leave every group that others are in; a group that loses its last owner gets an heir. Their
    direct rooms stay and are frozen. Their messages stay, and are shown as from a deleted account.
    """
    people, rooms = _lock_with_rooms(person)
    for one in people:
        if one.deleted_at is None:
            _forget(one)
            for room in rooms:
                _part(one, room)
            end_devices(one)
            log = lock_own_logs([one])[one.pk]
            # Stored last: emptying a unique key makes everybody wait who writes a row that refers to the person,
            # and they may hold a room that is to be locked here.
            one.save(update_fields=["user", "deleted_at", "display_name", "avatar_url"])
            record([draft(log, "profile.updated", actor=one)])
            return True
    return False


class _AddedMeanwhile(Exception):
    """Somebody added the person to another room before the person was locked."""


def _lock_with_rooms(person: Profile) -> tuple[list[Profile], list[Room]]:
    """Lock the rooms that a person shares with others, and then the person, as every other action does.

    A person who was added to another room meanwhile is tried again: the savepoint releases the locks.
    """
    for _ in range(LOCK_TRIES):
        with suppress(_AddedMeanwhile), transaction.atomic(using=database()):
            rooms = lock_rooms_of(person)
            people = lock_people([person.pk])
            if shared_rooms(person).exclude(pk__in=[room.pk for room in rooms]).exists():
                raise _AddedMeanwhile
            return people, rooms
    # In this order nobody can add the person any more, but another action may be waiting for them: a deadlock.
    return lock_people([person.pk]), lock_rooms_of(person)


def _forget(person: Profile) -> None:
    """Take the person's name and picture away; the handle is held for a while, and shown to nobody."""
    person.user, person.deleted_at = None, timezone.now()
    person.display_name = person.avatar_url = ""


def _part(person: Profile, room: Room) -> None:
    if room.kind == Room.Kind.DIRECT:
        set_up_room(room, {"frozen": True}, actor=person)
        return
    # Read once the room is locked: the person may have been removed, or another owner gone, meanwhile.
    member = Membership.objects.filter(room=room, user=person).first()
    heirs = _heirs(room, person)
    if member is None or not heirs.exists():
        return
    member.room, member.user = room, person
    if member.role == Role.OWNER and not heirs.filter(role=Role.OWNER).exists():
        _hand_over(room, heirs)
    take_out(member, "member.left", actor=person)


def _heirs(room: Room, person: Profile) -> QuerySet[Membership]:
    """Return the others in a room who can look after it: neither deleted accounts nor imported people."""
    others = Membership.objects.filter(room=room, user__deleted_at=None).exclude(user=person)
    return others.filter(Q(user__user__isnull=False) | Q(user__source_key=None))


def _hand_over(room: Room, heirs: QuerySet[Membership]) -> None:
    """Make the longest-serving admin the owner; without one a moderator, without one a member."""
    height = Case(
        *(When(role=role, then=Value(rank)) for role, rank in RANK.items()),
        output_field=IntegerField(),
    )
    heir = heirs.select_related("user").order_by(height.desc(), "joined_at", "pk")[0]
    heir.room = room
    give_role(heir, Role.OWNER, actor=None)
