"""Staff act in any room as staff: named in its log, with a reason that only the moderation entry keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from chat.actions import moderation
from chat.actions.bans import ban_member
from chat.actions.devices import open_device
from chat.actions.members import join_room
from chat.actions.moderation import (
    moderate_ban_member,
    moderate_change_role,
    moderate_delete_message,
    moderate_end_devices,
    moderate_freeze_room,
    moderate_remove_member,
    moderate_unban_member,
    note_message_read,
)
from chat.actions.people import profile_for
from chat.errors import ChatError, Conflict, Forbidden, Invalid, NotFound
from chat.models import Ban, Device, Event, Membership, Message, ModerationEntry, Profile, Room
from chat.policy import Policy
from tests.conftest import Heard
from tests.scene import logged, moderator, own_log, say, seat, staff_with, together

pytestmark = pytest.mark.django_db

WHY = "Three people asked for it."
Act = Callable[[Profile, str], object]


@pytest.fixture
def staff(db: None) -> Profile:
    return moderator()


@pytest.fixture
def message(bob: Profile, den: Room) -> Message:
    return say(bob, den, "Something foul.")


@pytest.fixture
def acts(
    ann: Profile, bob: Profile, den: Room, message: Message, person: Callable[..., Profile]
) -> dict[str, Act]:
    """Every act of staff, ready but for who does it and why; eve is banned, dan a stranger."""
    dan, eve = person("dan"), person("eve")
    ban_member(ann, den.pk, eve.pk)
    open_device(bob, None, name="phone", refresh_jti="one", sid=uuid4())
    return {
        "delete_message": lambda who, why: moderate_delete_message(who, message.pk, why),
        "remove_member": lambda who, why: moderate_remove_member(who, den.pk, bob.pk, why),
        "ban_member": lambda who, why: moderate_ban_member(who, den.pk, dan.pk, why),
        "unban_member": lambda who, why: moderate_unban_member(who, den.pk, eve.pk, why),
        "change_role": lambda who, why: moderate_change_role(who, den.pk, bob.pk, "admin", why),
        "freeze_room": lambda who, why: moderate_freeze_room(who, den.pk, why),
        "end_devices": lambda who, why: moderate_end_devices(who, bob.pk, why),
    }


EVENTS = {
    "delete_message": "message.deleted",
    "remove_member": "member.removed",
    "ban_member": "member.banned",
    "unban_member": "member.unbanned",
    "change_role": "member.role_changed",
    "freeze_room": "room.updated",
    "end_devices": "device.ended",
}


@pytest.mark.parametrize("verb", EVENTS)
def test_an_act_is_told_as_done_by_staff_and_why_is_kept_apart(
    verb: str, acts: dict[str, Act], staff: Profile, den: Room, bob: Profile, heard: Heard
) -> None:
    told = heard.of(acts[verb], staff, f"  {WHY} ")
    assert told[0].type == EVENTS[verb]
    assert json.loads(told[0].text)["actor"]["id"] == str(staff.pk)
    assert not any(WHY in item.text for item in told)
    assert not any(WHY in json.dumps(data) for data in Event.objects.values_list("data", flat=True))

    entry = ModerationEntry.objects.get()
    assert (entry.verb, entry.actor, entry.reason) == (verb, staff, WHY)
    names = {"freeze_room": None, "ban_member": "dan", "unban_member": "eve"}
    assert getattr(entry.subject, "username", None) == names.get(verb, "bob")
    if verb != "end_devices":
        event = Event.objects.get(room=den, seq=entry.seq)
        assert (event.type, event.actor) == (EVENTS[verb], staff)
    assert not Membership.objects.filter(room=den, user=staff).exists()


@pytest.mark.parametrize("verb", EVENTS)
@pytest.mark.parametrize("why", ["", "   ", "\u200b", " \ufeff\u202e\n", "x" * 501, "nul\x00"])
def test_no_reason_no_act(
    verb: str, why: str, acts: dict[str, Act], staff: Profile, heard: Heard
) -> None:
    with pytest.raises(Invalid):
        acts[verb](staff, why)
    assert heard == []
    assert not ModerationEntry.objects.exists()


@pytest.mark.parametrize("verb", EVENTS)
def test_only_who_may_moderate(verb: str, acts: dict[str, Act], ann: Profile) -> None:
    """Neither a room's owner nor staff without the permission; nor an account that is no longer active."""
    former = staff_with("moderate_room", username="former")
    former.is_active = False
    former.save()
    plain = get_user_model().objects.create_user("plain")
    clerk = staff_with("view_room", username="clerk")
    for person in (ann, *map(profile_for, (former, plain, clerk))):
        with pytest.raises(Forbidden):
            acts[verb](Profile.objects.get(pk=person.pk), WHY)
    assert not ModerationEntry.objects.exists()


def test_the_policy_of_the_host_is_asked(
    acts: dict[str, Act], staff: Profile, ann: Profile, configured: Callable[..., None]
) -> None:
    class Own(Policy):
        def may_moderate(self, person: Profile) -> bool:
            return person == ann

    configured(POLICY=Own)
    with pytest.raises(Forbidden):
        acts["freeze_room"](staff, WHY)
    assert acts["freeze_room"](ann, WHY)


@pytest.mark.parametrize("verb", EVENTS)
def test_event_and_entry_are_one_transaction(
    verb: str, acts: dict[str, Act], staff: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry that cannot be written takes the act with it."""

    def failing(*args: object, **kwargs: object) -> None:
        raise IntegrityError("no room for the entry")

    before = Event.objects.count(), Membership.objects.count(), Ban.objects.get().user
    with monkeypatch.context() as patched:
        patched.setattr(ModerationEntry.objects, "create", failing)
        with pytest.raises(IntegrityError), transaction.atomic():
            acts[verb](staff, WHY)
    assert (Event.objects.count(), Membership.objects.count(), Ban.objects.get().user) == before
    assert not Message.objects.exclude(deleted_at=None).exists()
    assert not Device.objects.exclude(ended_at=None).exists()
    assert not ModerationEntry.objects.exists()


def test_what_is_so_already_is_not_done_again(
    acts: dict[str, Act], staff: Profile, den: Room, heard: Heard
) -> None:
    again = [verb for verb in EVENTS if verb not in {"remove_member", "unban_member"}]
    assert all(acts[verb](staff, WHY) for verb in again)
    log = logged(den)
    assert not any(acts[verb](staff, WHY) for verb in again)
    assert logged(den) == log
    assert ModerationEntry.objects.count() == len(again)


def test_a_message_between_two_can_be_taken_down(
    staff: Profile, bob: Profile, pair: Room, heard: Heard
) -> None:
    whisper = say(bob, pair, "Or else.")
    assert heard.types_of(moderate_delete_message, staff, whisper.pk, WHY) == ["message.deleted"]
    whisper.refresh_from_db()
    assert (whisper.text, whisper.version) == ("", 4 + 1)


def test_only_groups_have_members_and_rules(
    staff: Profile, bob: Profile, pair: Room, ann: Profile
) -> None:
    for room in (pair, own_log(bob)):
        for act in (
            partial(moderate_remove_member, staff, room.pk, bob.pk, WHY),
            partial(moderate_ban_member, staff, room.pk, bob.pk, WHY),
            partial(moderate_unban_member, staff, room.pk, bob.pk, WHY),
            partial(moderate_change_role, staff, room.pk, bob.pk, "owner", WHY),
            partial(moderate_freeze_room, staff, room.pk, WHY),
        ):
            with pytest.raises(Forbidden):
                act()


def test_a_group_keeps_an_owner_also_against_staff(
    staff: Profile, ann: Profile, bob: Profile, den: Room
) -> None:
    for act in (
        partial(moderate_remove_member, staff, den.pk, ann.pk, WHY),
        partial(moderate_ban_member, staff, den.pk, ann.pk, WHY),
        partial(moderate_change_role, staff, den.pk, ann.pk, "member", WHY),
    ):
        with pytest.raises(Conflict):
            act()
    assert moderate_change_role(staff, den.pk, bob.pk, "owner", WHY)
    moderate_remove_member(staff, den.pk, ann.pk, WHY)
    assert seat(bob, den).role == "owner"
    assert logged(own_log(ann))[-1] == "room.left"


def test_a_ban_by_staff_removes_holds_and_says_why_to_staff_alone(
    staff: Profile, bob: Profile, group: Room, heard: Heard
) -> None:
    told = heard.types_of(moderate_ban_member, staff, group.pk, bob.pk, WHY)
    assert told == ["member.banned", "room.left"]
    with pytest.raises(Forbidden):
        join_room(bob, group.pk)
    assert (Ban.objects.get().by, Ban.objects.get().reason) == (staff, "")
    assert ModerationEntry.objects.get().data == {"role": "member"}
    assert heard.types_of(moderate_unban_member, staff, group.pk, bob.pk, WHY) == [
        "member.unbanned"
    ]
    assert join_room(bob, group.pk)


def test_what_is_not_there_is_not_found(staff: Profile, cat: Profile, den: Room) -> None:
    for act in (
        partial(moderate_delete_message, staff, uuid4(), WHY),
        partial(moderate_remove_member, staff, den.pk, cat.pk, WHY),
        partial(moderate_remove_member, staff, uuid4(), cat.pk, WHY),
        partial(moderate_ban_member, staff, den.pk, uuid4(), WHY),
        partial(moderate_ban_member, staff, uuid4(), cat.pk, WHY),
        partial(moderate_unban_member, staff, den.pk, cat.pk, WHY),
        partial(moderate_freeze_room, staff, uuid4(), WHY),
        partial(moderate_end_devices, staff, uuid4(), WHY),
        partial(moderate_end_devices, staff, cat.pk, WHY, [uuid4()]),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Invalid):
        moderate_change_role(staff, den.pk, cat.pk, "king", WHY)


def test_an_entry_is_never_changed_and_outlives_its_room(
    staff: Profile, message: Message, den: Room, acts: dict[str, Act]
) -> None:
    acts["delete_message"](staff, WHY)
    note_message_read(staff, message)
    entry = ModerationEntry.objects.get(verb="delete_message")
    for change in (
        entry.save,
        entry.delete,
        ModerationEntry.objects.all().delete,
        partial(ModerationEntry.objects.filter(pk=entry.pk).update, reason="Another."),
    ):
        with pytest.raises(TypeError):
            change()
    place = den.pk
    den.delete()
    kept = ModerationEntry.objects.values_list("room_id", "message_id", "reason")
    assert set(kept) == {(place, message.pk, WHY), (place, message.pk, "")}


def test_the_database_wants_a_reason(staff: Profile, den: Room) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ModerationEntry.objects.create(verb="freeze_room", actor=staff, room=den, reason="")


@pytest.mark.django_db(transaction=True)
def test_staff_and_members_who_act_at_once_stay_in_one_order(
    ann: Profile, bob: Profile, cat: Profile, group: Room, den: Room, heard: Heard
) -> None:
    staff = moderator()
    said = [say(bob, room) for room in (group, den)]
    answers = together(
        [
            *(partial(moderate_delete_message, staff, one.pk, WHY) for one in said * 2),
            *(partial(say, ann, room) for room in (group, den)),
            partial(moderate_remove_member, staff, group.pk, bob.pk, WHY),
            partial(moderate_remove_member, staff, den.pk, bob.pk, WHY),
            partial(moderate_freeze_room, staff, group.pk, WHY),
        ]
    )
    assert not [one for one in answers if isinstance(one, Exception)]
    assert logged(group).count("message.deleted") == logged(den).count("message.deleted") == 1
    assert ModerationEntry.objects.count() == 5
    for entry in ModerationEntry.objects.all():
        assert Event.objects.get(room=entry.room, seq=entry.seq).actor_id == staff.pk


def test_a_refused_act_leaves_no_entry(staff: Profile, ann: Profile, den: Room) -> None:
    with pytest.raises(ChatError):
        moderation.moderate_remove_member(staff, den.pk, ann.pk, WHY)
    assert not ModerationEntry.objects.exists()
