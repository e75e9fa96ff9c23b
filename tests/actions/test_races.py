"""What holds when many do it at once: threads, each with a connection of its own, on a real database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from chat.actions.bans import ban_member
from chat.actions.devices import open_device, renew_device
from chat.actions.imports import Line, Speaker, import_lines, open_import_room
from chat.actions.members import (
    add_member,
    change_role,
    join_room,
    leave_room,
    mute_member,
    remove_member,
)
from chat.actions.messages import delete_message, edit_message
from chat.actions.people import add_person, profile_for, register_person, update_profile
from chat.actions.reads import mark_read
from chat.actions.rooms import create_group, delete_room, keep_room, open_direct
from chat.actions.sending import Draft, Sent, send_message, send_messages
from chat.errors import ChatError, Conflict, Forbidden, NotFound
from chat.events import database
from chat.models import Device, Event, Membership, Message, Profile, Room
from chat.queries.epoch import current_epoch
from tests.conftest import Heard
from tests.scene import logged, own_log, say, seat, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("heard")]

ROUNDS = 5


def hosted(verb: Callable[[], object]) -> Callable[[], object]:
    """Run a verb in a host's transaction, where a deadlock is not tried again but seen."""

    def run() -> object:
        with transaction.atomic(using=database()):
            return verb()

    return run


def whole(*rooms: Room) -> None:
    """Every log is without holes, and a room counts its members right."""
    for room in rooms:
        logged(room)
        stored = Room.objects.get(pk=room.pk)
        assert stored.members_count == Membership.objects.filter(room=room).count()


def test_a_pair_that_opens_from_both_sides_has_one_room(ann: Profile, bob: Profile) -> None:
    calls = [partial(open_direct, ann, bob.pk), partial(open_direct, bob, ann.pk)] * 10
    answers = together(calls)
    assert {room.pk for room, _ in answers} == {Room.objects.get(kind="direct").pk}
    assert [new for _, new in answers].count(True) == 1
    assert logged(own_log(ann)).count("room.joined") == 1
    whole(Room.objects.get(kind="direct"))


def test_twenty_who_speak_at_once_are_in_one_order(
    group: Room, person: Callable[..., Profile], heard: Heard
) -> None:
    people = [person(f"p{number}") for number in range(20)]
    for one in people:
        join_room(one, group.pk)
    before = len(logged(group))
    answers = together([partial(say, one, group, one.username) for one in people])
    assert sorted(one.seq for one in answers) == list(range(before + 1, before + 21))
    assert logged(group)[before:] == ["message.sent"] * 20
    assert Counter(item.seq for item in heard if item.type == "message.sent") == Counter(
        range(before + 1, before + 21)
    )


def test_batches_across_the_same_rooms_do_not_stop_each_other(
    group: Room, den: Room, pair: Room, ann: Profile, bob: Profile
) -> None:
    rooms = [group, den, pair]
    batches = [
        [Draft(who, room.pk, "Hello.") for room in order]
        for who in (ann, bob)
        for order in (rooms, rooms[::-1], [pair, group, den])
    ]
    answers = together([partial(send_messages, batch) for batch in batches])
    assert all(isinstance(one, Sent) and one.new for answer in answers for one in answer)
    for room in rooms:
        assert logged(room)[-6:] == ["message.sent"] * 6


def test_one_message_sent_ten_times_at_once_is_stored_once(group: Room, ann: Profile) -> None:
    draft = Draft(ann, group.pk, "Hello.")
    answers = together([partial(send_message, draft)] * 10)
    assert [one.new for one in answers].count(True) == 1
    assert {one.message.seq for one in answers} == {Message.objects.get().seq}
    assert logged(group).count("message.sent") == 1


def test_one_id_for_two_rooms_at_once_is_stored_in_one(
    group: Room, den: Room, ann: Profile, bob: Profile
) -> None:
    for _ in range(ROUNDS):
        id = uuid4()
        drafts = [Draft(ann, group.pk, "Hello.", id=id), Draft(bob, den.pk, "Hello.", id=id)]
        answers = together(
            [
                partial(send_messages, [one, Draft(one.sender, one.room, "Besides.")])
                for one in drafts
            ]
        )
        kinds = sorted(type(outcomes[0]).__name__ for outcomes in answers)
        assert kinds == ["Conflict", "Sent"]
        assert all(outcomes[1].new for outcomes in answers)
    whole(group, den)


def test_two_owners_who_leave_at_once_leave_one_behind(ann: Profile, bob: Profile) -> None:
    for _ in range(ROUNDS):
        room, _ = create_group(ann, title="Two", visibility="public", members=[bob.pk])
        change_role(ann, room.pk, bob.pk, "owner")
        answers = together([partial(leave_room, one, room.pk) for one in (ann, bob)])
        assert sorted(map(str, map(type, answers))) == sorted(map(str, [Conflict, type(None)]))
        assert Membership.objects.get(room=room).role == "owner"
        whole(room)


def test_two_owners_who_put_each_other_down_at_once_leave_one(ann: Profile, bob: Profile) -> None:
    for _ in range(ROUNDS):
        room, _ = create_group(ann, title="Two", visibility="public", members=[bob.pk])
        change_role(ann, room.pk, bob.pk, "owner")
        together(
            [
                partial(change_role, ann, room.pk, bob.pk, "member"),
                partial(remove_member, bob, room.pk, ann.pk),
            ]
        )
        assert Membership.objects.filter(room=room, role="owner").count() == 1
        whole(room)


def test_who_joins_twenty_times_at_once_is_in_once(group: Room, ann: Profile, cat: Profile) -> None:
    calls = [partial(join_room, cat, group.pk), partial(add_member, ann, group.pk, cat.pk)] * 10
    answers = together(calls)
    assert not [one for one in answers if isinstance(one, Exception)]
    assert logged(group).count("member.joined") == 3
    assert logged(own_log(cat)).count("room.joined") == 1
    whole(group)


def test_after_removal_not_a_word_is_stored(group: Room, ann: Profile, bob: Profile) -> None:
    calls = [partial(say, bob, group, str(number)) for number in range(9)]
    answers = together([*calls, partial(remove_member, ann, group.pk, bob.pk)])
    assert all(isinstance(one, (Message, Forbidden, type(None))) for one in answers), answers
    types = logged(group)
    assert "message.sent" not in types[types.index("member.removed") :]
    whole(group)


def test_a_room_that_ends_ends_for_everyone(
    group: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    answers = together(
        [
            partial(delete_room, ann, group.pk),
            partial(join_room, cat, group.pk),
            partial(say, bob, group),
            partial(leave_room, bob, group.pk),
            partial(keep_room, ann, group.pk, pinned=True),
        ]
    )
    assert all(isinstance(one, ChatError) or not isinstance(one, Exception) for one in answers), (
        answers
    )
    assert logged(group)[-1] == "room.deleted"
    assert not Membership.objects.filter(room=group).exists()


def test_keeping_a_room_and_leaving_it_at_once(ann: Profile, bob: Profile) -> None:
    for _ in range(ROUNDS):
        room, _ = create_group(ann, title="Short", visibility="public", members=[bob.pk])
        answers = together(
            [
                hosted(partial(keep_room, bob, room.pk, pinned=True)),
                hosted(partial(leave_room, bob, room.pk)),
            ]
        )
        assert answers[1] is None, answers
        assert isinstance(answers[0], (Membership, NotFound, Forbidden)), answers
        whole(own_log(bob), room)


def test_no_two_verbs_wait_for_each_other(ann: Profile, bob: Profile, cat: Profile) -> None:
    """Locks are taken in one order, so there is nothing that a second try would have to mend."""
    for number in range(ROUNDS):
        room, _ = create_group(ann, title="Busy", visibility="public", members=[bob.pk])
        message = say(ann, room)
        verbs = [
            partial(join_room, cat, room.pk),
            partial(open_direct, bob, cat.pk),
            partial(create_group, bob, title="New", visibility="private", members=[ann.pk, cat.pk]),
            partial(create_group, cat, title="New", visibility="private", members=[bob.pk, ann.pk]),
            partial(mark_read, ann, room.pk, message.seq),
            partial(change_role, ann, room.pk, bob.pk, "admin"),
            partial(mute_member, ann, room.pk, bob.pk, None),
            partial(ban_member, ann, room.pk, bob.pk),
            partial(edit_message, ann, message.pk, "Otherwise."),
            partial(send_messages, [Draft(bob, r.pk, "Hi.") for r in (own_log(bob), room)]),
            partial(update_profile, bob, display_name=f"Bob {number}"),
        ]
        answers = together([hosted(verb) for verb in verbs])
        failed = [one for one in answers if isinstance(one, Exception)]
        assert not [one for one in failed if not isinstance(one, ChatError)], failed
        whole(room, own_log(ann), own_log(bob), own_log(cat))


def test_two_rooms_brought_in_at_once_with_the_same_people(db: None) -> None:
    there = datetime(1999, 1, 1, tzinfo=UTC)
    for number in range(ROUNDS):
        speakers = [Speaker(f"irc:{number}-{n}", f"p{number}-{n}", "") for n in range(6)]
        for speaker in speakers:
            add_person(username=speaker.username, source_key=speaker.source_key)
        orders = (speakers, speakers[::-1])
        keys = (f"a{number}", f"b{number}")
        made = [open_import_room(key, key, visibility="public", owner=None)[0] for key in keys]
        answers = together(
            [
                hosted(
                    partial(import_lines, room.pk, [Line(uuid4(), there, "Hi.", s) for s in order])
                )
                for room, order in zip(made, orders, strict=True)
            ]
        )
        assert [getattr(one, "messages", one) for one in answers] == [6, 6]
        whole(*made)


def test_words_changed_and_taken_back_at_once_end_as_a_tombstone(group: Room, ann: Profile) -> None:
    message = say(ann, group)
    edits = [partial(edit_message, ann, message.pk, str(number)) for number in range(5)]
    answers = together([*edits, partial(delete_message, ann, message.pk)])
    assert all(isinstance(one, (tuple, Conflict)) for one in answers), answers
    stored = Message.objects.get(pk=message.pk)
    last = Event.objects.filter(message=stored).latest("seq")
    assert (stored.text, stored.version, last.type) == ("", last.seq, "message.deleted")


def test_the_higher_of_two_positions_stays(group: Room, ann: Profile, bob: Profile) -> None:
    places = [say(ann, group).seq for _ in range(8)]
    together([partial(mark_read, bob, group.pk, place) for place in places])
    assert seat(bob, group).read_seq == max(places)


def test_a_refresh_token_used_twice_at_once_works_once(ann: Profile) -> None:
    for _ in range(ROUNDS):
        device = open_device(ann, None, name="", refresh_jti="one", sid=uuid4())
        answers = together(
            [
                partial(renew_device, device.pk, old_jti="one", new_jti=new)
                for new in ("two", "three", "four", "five", "six", "seven")
            ]
        )
        assert (
            sorted(type(one).__name__ for one in answers) == ["NoneType"] + ["Unauthenticated"] * 5
        )
        assert Device.objects.get(pk=device.pk).ended_at


def test_a_name_that_many_want_goes_to_one(db: None) -> None:
    names = ["dora", "Dora", "DORA"] * 3
    answers = together(
        [partial(register_person, username=n, password="a long walk home") for n in names]
    )
    assert sorted(type(one).__name__ for one in answers) == ["Conflict"] * 8 + ["Profile"]
    assert Profile.objects.get(username__iexact="dora")
    assert get_user_model().objects.count() == Profile.objects.count() == 1


def test_an_account_seen_by_many_at_once_has_one_profile(db: None) -> None:
    user = get_user_model().objects.create_user("dora")
    answers = together([partial(profile_for, user)] * 10)
    assert {one.pk for one in answers} == {Profile.objects.get().pk}
    assert Room.objects.filter(kind="self").count() == 1


def test_a_group_created_ten_times_at_once_is_one(ann: Profile, bob: Profile) -> None:
    wanted = {"id": uuid4(), "title": "Once", "visibility": "public", "members": [bob.pk]}
    answers = together([partial(create_group, ann, **wanted)] * 10)
    assert [new for _, new in answers].count(True) == 1
    assert logged(own_log(bob)).count("room.joined") == 1


def test_the_epoch_is_made_once(db: None) -> None:
    assert len(set(together([current_epoch] * 10))) == 1
