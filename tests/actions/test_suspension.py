"""A person who is suspended reads on and writes nothing, until the end or until staff lift it."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import chat.actions
from chat.actions.group_commit import send
from chat.actions.members import join_room, leave_room
from chat.actions.messages import delete_message, edit_message, pin_message
from chat.actions.moderation import lift_suspension, moderate_freeze_room, suspend
from chat.actions.people import profile_for, update_profile
from chat.actions.reads import mark_read
from chat.actions.rooms import create_group, keep_room, open_direct
from chat.actions.sending import Draft, Sent, send_message, send_messages
from chat.errors import Forbidden, Invalid
from chat.events import database
from chat.models import ModerationEntry, Profile, Room
from chat.queries.messages import history
from chat.serializers.people import OwnProfileSerializer
from tests.conftest import Heard
from tests.scene import logged, moderator, own_log, say, staff_with, undone

pytestmark = pytest.mark.django_db

WHY = "Threats in three rooms."
# What a suspended person may still do: sign in and out, move cursors, keep rooms for themselves, leave, delete
# their account.
ALLOWED = {
    "end_devices",
    "end_person",
    "keep_room",
    "leave_room",
    "make_ticket",
    "mark_read",
    "mark_unread",
    "note_message_read",
    "open_device",
}


@pytest.fixture
def staff(db: None) -> Profile:
    return moderator()


def stored(person: Profile) -> Profile:
    return Profile.objects.get(pk=person.pk)


def refused(verb: Callable[[], object]) -> Forbidden:
    with pytest.raises(Forbidden) as told:
        verb()
    assert told.value.reason == "suspended"
    return told.value


def test_every_write_is_refused_to_a_person_as_an_open_socket_holds_them(
    group: Room, ann: Profile, bob: Profile, cat: Profile, staff: Profile
) -> None:
    """``bob`` was loaded before the suspension, as the viewer of a socket is."""
    own, others = say(bob, group), say(ann, group)
    before = logged(group)
    suspend(staff, bob, WHY)
    for verb in (
        lambda: say(bob, group),
        lambda: send(Draft(bob, group.pk, "By way of the writer.")),
        lambda: edit_message(bob, own.pk, "Otherwise."),
        lambda: delete_message(bob, own.pk),
        lambda: pin_message(bob, others.pk),
        lambda: create_group(bob, title="Mine", visibility="public"),
        lambda: open_direct(bob, cat.pk),
        lambda: join_room(bob, create_group(ann, title="More", visibility="public")[0].pk),
        lambda: update_profile(bob, display_name="Else"),
    ):
        refused(verb)
    assert logged(group) == before


def test_reading_and_leaving_go_on(group: Room, ann: Profile, bob: Profile, staff: Profile) -> None:
    said = say(ann, group)
    suspend(staff, bob, WHY)
    assert history(bob, group.pk, limit=5).messages == [said]
    assert mark_read(bob, group.pk, said.seq).read_seq >= said.seq
    assert keep_room(bob, group.pk, pinned=True).pinned
    leave_room(bob, group.pk)
    assert logged(group)[-1] == "member.left"


def test_a_direct_room_that_is_there_opens_as_before(
    pair: Room, ann: Profile, bob: Profile, staff: Profile
) -> None:
    suspend(staff, bob, WHY)
    assert open_direct(bob, ann.pk) == (pair, False)


def test_a_verb_of_a_person_refuses_the_suspended_unless_it_is_named_here() -> None:
    marked, verbs = set(), set()
    for module in pkgutil.iter_modules(chat.actions.__path__):
        for name, verb in vars(importlib.import_module(f"chat.actions.{module.name}")).items():
            inner = getattr(verb, "__wrapped__", None)
            first = inner and next(iter(inspect.signature(inner).parameters.values()), None)
            if first is not None and first.annotation == "Profile":
                verbs.add(name)
                if getattr(verb, "while_suspended", False):
                    marked.add(name)
    assert marked == ALLOWED
    assert verbs > {"edit_message", "join_room", "update_profile", "moderate_ban_member"}


def test_in_a_batch_only_the_drafts_of_the_suspended_are_refused(
    group: Room, ann: Profile, bob: Profile, staff: Profile
) -> None:
    repeat = say(bob, group, "Before.")
    suspend(staff, bob, WHY)
    drafts = [
        Draft(ann, group.pk, "One."),
        Draft(bob, group.pk, "Two."),
        Draft(bob, group.pk, "Before.", id=repeat.pk),
        Draft(ann, group.pk, "Three."),
    ]
    one, two, again, three = send_messages(drafts)
    assert isinstance(one, Sent)
    assert isinstance(three, Sent)
    assert three.message.seq == one.message.seq + 1
    assert isinstance(two, Forbidden)
    assert two.reason == "suspended"
    assert isinstance(again, Sent)
    assert not again.new


def test_sending_asks_nothing_more_for_it(group: Room, bob: Profile) -> None:
    """Rooms, memberships with their people, and messages; the rest stores the message."""
    say(bob, group)
    with CaptureQueriesContext(connections[database()]) as asked, undone():
        send_message(Draft(bob, group.pk, "Hello."))
    selects = [one["sql"] for one in asked if one["sql"].lstrip().upper().startswith("SELECT")]
    assert len(selects) == 3


def test_it_says_until_when_and_ends_by_itself(group: Room, bob: Profile, staff: Profile) -> None:
    until = timezone.now() + timedelta(hours=2)
    suspend(staff, bob, WHY, until)
    told = refused(lambda: say(bob, group)).as_dict()
    assert told["until"] == until.isoformat().replace("+00:00", "Z")
    assert 7_190 < told["retry_after"] <= 7_200
    assert told["detail"].startswith("Your account is suspended until ")
    assert WHY not in str(told)
    Profile.objects.filter(pk=bob.pk).update(suspended_until=timezone.now())
    assert say(bob, group)
    assert edit_message(bob, say(bob, group).pk, "Back.")
    assert OwnProfileSerializer().to_representation(stored(bob))["suspended"] is None


def test_without_an_end_it_lasts_until_it_is_lifted(
    group: Room, bob: Profile, staff: Profile
) -> None:
    suspend(staff, bob, WHY)
    told = refused(lambda: say(bob, group)).as_dict()
    assert not {"until", "retry_after"} & told.keys()
    assert lift_suspension(staff, bob, "It was another person.")
    assert say(bob, group)


def test_the_person_is_told_the_reason_and_not_the_note(
    bob: Profile, staff: Profile, heard: Heard
) -> None:
    until = timezone.now() + timedelta(days=1)
    (told,) = heard.of(suspend, staff, bob, f" {WHY} ", until, note="Third time this year.")
    event = json.loads(told.text)
    assert (told.type, told.room) == ("profile.updated", str(own_log(bob).pk))
    assert event["user"]["id"] == str(bob.pk)
    assert event["actor"]["id"] == str(staff.pk)
    ends = until.isoformat().replace("+00:00", "Z")
    assert event["user"]["suspended"] == {"until": ends, "reason": WHY}
    assert "Third time" not in told.text
    (lifted,) = heard.of(lift_suspension, staff, bob, "Enough.")
    assert json.loads(lifted.text)["user"]["suspended"] is None
    assert "Enough." not in lifted.text


def test_each_act_is_an_entry_and_what_is_so_already_is_none(bob: Profile, staff: Profile) -> None:
    until = timezone.now() + timedelta(days=1)
    assert suspend(staff, bob, WHY, until, note="Third time.")
    assert not suspend(staff, bob, WHY, until)
    assert suspend(staff, bob, WHY)
    assert lift_suspension(staff, bob, "Enough.")
    assert not lift_suspension(staff, bob, "Enough.")
    entries = list(ModerationEntry.objects.order_by("pk"))
    assert [(one.verb, one.reason) for one in entries] == [
        ("suspend", WHY),
        ("suspend", WHY),
        ("lift_suspension", "Enough."),
    ]
    assert {(one.actor, one.subject) for one in entries} == {(staff, bob)}
    ends = until.isoformat().replace("+00:00", "Z")
    assert [one.data for one in entries] == [
        {"until": ends, "note": "Third time."},
        {"until": None},
        {"until": None},
    ]


def test_staff_are_not_suspended_and_nobody_suspends_themselves(
    staff: Profile, ann: Profile, bob: Profile
) -> None:
    other = profile_for(staff_with("moderate_room", username="other"))
    for who, whom in ((staff, staff), (staff, other), (ann, bob)):
        with pytest.raises(Forbidden):
            suspend(who, whom, WHY)
    assert not ModerationEntry.objects.exists()


def test_a_suspended_moderator_of_the_service_moderates_no_more(
    staff: Profile, group: Room
) -> None:
    Profile.objects.filter(pk=staff.pk).update(
        suspended_at=timezone.now(), suspension_reason="Before they were staff."
    )
    refused(lambda: moderate_freeze_room(staff, group.pk, WHY))


@pytest.mark.parametrize(
    ("reason", "more", "field"),
    [
        ("", {}, "reason"),
        ("\u3164", {}, "reason"),
        ("a\x00", {}, "reason"),
        ("x" * 501, {}, "reason"),
        (WHY, {"note": "x" * 501}, "note"),
        (WHY, {"until": timezone.now() - timedelta(seconds=1)}, "until"),
    ],
)
def test_it_wants_a_reason_and_an_end_to_come(
    reason: str, more: dict[str, Any], field: str, staff: Profile, bob: Profile
) -> None:
    with pytest.raises(Invalid) as told:
        suspend(staff, bob, reason, **more)
    assert set(told.value.fields or {}) == {field}
    assert not stored(bob).is_suspended


def test_the_database_wants_a_reason_with_a_suspension(bob: Profile) -> None:
    person = Profile.objects.filter(pk=bob.pk)
    for wrong in (
        {"suspended_at": timezone.now()},
        {"suspended_until": timezone.now()},
        {"suspension_reason": WHY},
    ):
        with pytest.raises(IntegrityError), transaction.atomic(using=database()):
            person.update(**wrong)
