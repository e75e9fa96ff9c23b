"""The log and what cursors miss: every place in order, hidden where it must be, or a plain `reset`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from chat.actions.members import add_member, join_room, leave_room, remove_member
from chat.actions.messages import delete_message, edit_message
from chat.actions.rooms import create_group, delete_room
from chat.actions.sending import Draft, Sent, send_messages
from chat.models import Epoch, Event, Profile, Room
from chat.queries.epoch import current_epoch
from chat.queries.log import Missing, heads_of, log, missed, recent_heads, replay, sync
from tests.scene import own_log, say

pytestmark = pytest.mark.django_db


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def caught_up(viewer: Profile, cursors: dict[Any, int], limit: int = 99) -> Missing:
    """What a client misses whose other rooms are all at their heads."""
    mine = {m.room_id: m.room.head for m in viewer.memberships.select_related("room")}
    return sync(viewer, current_epoch(), {**mine, **cursors}, limit=limit)


def test_a_log_is_read_in_order_page_by_page(group: Room, ann: Profile, bob: Profile) -> None:
    for _ in range(4):
        say(ann, group)
    seen: list[int] = []
    while len(seen) < 7:
        page, epoch = log(bob, group.pk, after=len(seen), limit=3)
        seen += [event["seq"] for event in page.events]
        assert (page.head, page.reset, epoch) == (7, None, current_epoch())
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert log(bob, group.pk, after=7, limit=3)[0].events == []


def test_an_event_shows_the_message_of_now(group: Room, ann: Profile, bob: Profile) -> None:
    message = say(ann, group, "My secret.")
    edit_message(ann, message.pk, "Less so.")
    events = log(bob, group.pk, after=3, limit=9)[0].events
    assert types(events) == ["message.sent", "message.edited"]
    assert {event["message"]["text"] for event in events} == {"Less so."}
    delete_message(ann, message.pk)
    assert "Less" not in str(log(bob, group.pk, after=0, limit=9))


def test_what_lies_before_ones_history_is_hidden_at_its_place(
    pier: Room, ann: Profile, cat: Profile
) -> None:
    hidden = say(ann, pier, "Before.")
    begins = join_room(cat, pier.pk).history_from
    shown = say(ann, pier, "After.", reply_to=hidden.pk)
    edit_message(ann, hidden.pk, "Before, edited after.")
    edit_message(ann, shown.pk, "After, edited.")
    delete_message(ann, hidden.pk)
    events = log(cat, pier.pk, after=0, limit=99)[0].events
    assert types(events) == ["hidden"] * (begins - 1) + [
        "member.joined", "message.sent", "hidden", "message.edited", "hidden"
    ]  # fmt: skip
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert all(
        set(event) == {"type", "room", "seq"} for event in events if event["type"] == "hidden"
    )
    assert "Before" not in str(events)


def test_a_cursor_ahead_of_the_log_is_reset(group: Room, bob: Profile) -> None:
    found, _ = log(bob, group.pk, after=4, limit=9)
    assert (found.events, found.reset) == ([], "ahead")
    missing = caught_up(bob, {group.pk: 4})
    assert (missing.rooms[str(group.pk)].events, missing.rooms[str(group.pk)].reset) == (
        [],
        "ahead",
    )


@pytest.mark.parametrize("kept", [1, 0], ids=["some kept", "none kept"])
def test_a_cursor_before_the_tail_is_reset(group: Room, bob: Profile, kept: int) -> None:
    Event.objects.filter(room=group, seq__lte=3 - kept).delete()
    found, _ = log(bob, group.pk, after=1, limit=9)
    assert (found.events, found.reset) == ([], "pruned")
    missing = caught_up(bob, {group.pk: 1})
    assert missing.rooms[str(group.pk)].reset == "pruned"


def test_a_hole_in_the_middle_ends_the_answer(group: Room, ann: Profile, bob: Profile) -> None:
    send_messages([Draft(ann, group.pk, str(n)) for n in range(4)])
    Event.objects.filter(room=group, seq=5).delete()
    found, _ = log(bob, group.pk, after=3, limit=9)
    assert [event["seq"] for event in found.events] == [4]
    missing = caught_up(bob, {group.pk: 3}).rooms[str(group.pk)]
    assert ([event["seq"] for event in missing.events], missing.reset) == ([4], None)
    assert log(bob, group.pk, after=4, limit=9)[0].reset == "pruned"


def test_a_room_can_be_purged_with_all_that_was_said_in_it(group: Room, ann: Profile) -> None:
    first, _ = send_messages([Draft(ann, group.pk, "first"), Draft(ann, group.pk, "second")])
    assert isinstance(first, Sent)
    send_messages([Draft(ann, group.pk, "answer", reply_to=first.message.pk)])
    group.delete()
    assert not Event.objects.filter(room=group.pk).exists()


def test_a_cursor_far_behind_is_reset(
    group: Room, ann: Profile, bob: Profile, configured: Callable[..., None]
) -> None:
    configured(RESUME_MAX=5)
    send_messages([Draft(ann, group.pk, str(n)) for n in range(5)])
    assert caught_up(bob, {group.pk: 3}).rooms[str(group.pk)].reset is None
    assert caught_up(bob, {group.pk: 2}).rooms[str(group.pk)].reset == "too_far"


def test_cursors_of_another_epoch_are_all_reset(group: Room, bob: Profile) -> None:
    old = current_epoch()
    Epoch.objects.update(value=uuid4())
    assert current_epoch() != old
    missing = sync(bob, old, {group.pk: 1, own_log(bob).pk: 1}, limit=9)
    assert {log.reset for log in missing.rooms.values()} == {"epoch"}
    assert not [event for log in missing.rooms.values() for event in log.events]
    assert missing.epoch == current_epoch()


def test_an_epoch_stays_as_it_is(db: None) -> None:
    assert current_epoch() == current_epoch()
    assert Epoch.objects.count() == 1


def test_sync_brings_each_room_to_its_head(
    group: Room, den: Room, ann: Profile, bob: Profile
) -> None:
    for room in (group, den):
        say(ann, room)
    missing = caught_up(bob, {group.pk: 3, den.pk: 2})
    assert types(missing.rooms[str(group.pk)].events) == ["message.sent"]
    assert types(missing.rooms[str(den.pk)].events) == ["member.joined", "message.sent"]
    assert set(missing.rooms) == {str(group.pk), str(den.pk)}
    assert (missing.joined, missing.left, missing.more) == ([], [], False)


def test_sync_says_when_there_is_more(group: Room, den: Room, ann: Profile, bob: Profile) -> None:
    for room in (group, den):
        send_messages([Draft(ann, room.pk, str(n)) for n in range(5)])
    cursors = {group.pk: 3, den.pk: 3}
    turns = 0
    while (missing := caught_up(bob, cursors, limit=4)).more or missing.rooms:
        turns += 1
        for room, stretch in missing.rooms.items():
            (key,) = [pk for pk in cursors if str(pk) == room]
            assert stretch.events[0]["seq"] == cursors[key] + 1
            cursors[key] = stretch.events[-1]["seq"]
    assert set(cursors.values()) == {8}
    assert turns == 3


def test_rooms_joined_and_left_meanwhile(
    group: Room, den: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    cursors = {own_log(cat).pk: 2}
    join_room(cat, group.pk)
    say(ann, group, "Welcome.")
    missing = sync(cat, current_epoch(), cursors, limit=99)
    (room,) = missing.joined
    assert (room["id"], room["head"], room["last_message"]["text"]) == (
        str(group.pk),
        5,
        "Welcome.",
    )
    assert room["me"]["unread"] == 1
    assert types(missing.rooms[str(own_log(cat).pk)].events) == ["room.joined"]
    remove_member(ann, group.pk, cat.pk)
    missing = sync(cat, current_epoch(), {**cursors, group.pk: 5}, limit=99)
    assert (missing.joined, missing.left) == ([], [str(group.pk)])
    assert types(missing.rooms[str(own_log(cat).pk)].events) == ["hidden", "room.left"]


def test_a_room_that_ended_is_left(group: Room, ann: Profile, bob: Profile) -> None:
    delete_room(ann, group.pk)
    missing = caught_up(bob, {group.pk: 3})
    assert missing.left == [str(group.pk)]


def test_a_snapshot_in_a_log_is_of_a_room_one_is_in(den: Room, ann: Profile, cat: Profile) -> None:
    add_member(ann, den.pk, cat.pk)
    remove_member(ann, den.pk, cat.pk)
    events = log(cat, own_log(cat).pk, after=0, limit=9)[0].events
    assert "Den" not in str(events)


def test_more_rooms_than_one_look_reads(ann: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.queries.log.SLICE", 2)
    rooms = [create_group(ann, title=str(n), visibility="private")[0] for n in range(5)]
    cursors = {room.pk: 1 for room in rooms}
    told: list[str] = []
    while True:
        missing = caught_up(ann, cursors)
        for room, stretch in missing.rooms.items():
            told.append(room)
            cursors.update({one.pk: stretch.head for one in rooms if str(one.pk) == room})
        if not missing.more:
            break
    assert sorted(told) == sorted(str(room.pk) for room in rooms)


def test_a_replay_is_the_log_as_frames(group: Room, den: Room, ann: Profile, bob: Profile) -> None:
    say(ann, group)
    cursors = {str(group.pk): (2, 99), str(den.pk): (98, 99), str(uuid4()): (1, 9)}
    frames, gone = replay(bob, cursors)
    assert gone == set(cursors) - {str(group.pk), str(den.pk)}
    logged = log(bob, group.pk, after=2, limit=9)[0].events
    assert [(room, seq, json.loads(text)) for room, seq, text in frames] == [
        (str(group.pk), event["seq"], event) for event in logged
    ]


def test_a_process_finds_what_it_missed(group: Room, ann: Profile, bob: Profile) -> None:
    say(ann, group)
    say(bob, group)
    found = missed({str(group.pk): 3, str(uuid4()): 0}, 9)
    assert [(item.room, item.seq, item.type) for item in found] == [
        (str(group.pk), seq, "message.sent") for seq in (4, 5)
    ]
    assert missed({}, 9) == []


def test_heads_are_told_at_once(group: Room, den: Room, ann: Profile) -> None:
    say(ann, group)
    heads = heads_of([str(group.pk), str(den.pk), str(uuid4())])
    assert heads == {str(group.pk): 4, str(den.pk): 3}
    assert recent_heads(3600).items() >= heads.items()
    leaving, _ = create_group(ann, title="Old", visibility="private")
    Event.objects.filter(room=leaving).update(created_at="1999-01-01T00:00:00Z")
    assert str(leaving.pk) not in recent_heads(3600)


def test_coming_back_starts_where_one_comes_back(pier: Room, ann: Profile, bob: Profile) -> None:
    leave_room(bob, pier.pk)
    say(ann, pier, "Is bob gone?")
    join_room(bob, pier.pk)
    missing = caught_up(bob, {pier.pk: 3})
    assert types(missing.rooms[str(pier.pk)].events) == ["hidden", "hidden", "member.joined"]
