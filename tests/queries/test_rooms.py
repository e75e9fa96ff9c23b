"""The inbox, one room, the directory: in order of activity, exactly counted, each as its viewer sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chat.actions.members import add_member, join_room, remove_member
from chat.actions.messages import delete_message, edit_message
from chat.actions.people import update_profile
from chat.actions.reads import mark_read, mark_unread
from chat.actions.rooms import create_group, delete_room, keep_room, open_direct
from chat.actions.sending import Draft, send_messages
from chat.models import Profile, Room
from chat.queries.rooms import (
    directory,
    directory_views,
    inbox,
    member,
    members,
    room_view,
    views,
)
from chat.queries.standings import standings
from chat.serializers.rooms import room_shape
from tests.scene import own_log, say, seat

pytestmark = pytest.mark.django_db


def shown(viewer: Profile, **which: Any) -> list[dict[str, Any]]:
    return [room_shape(view) for view in views(viewer, list(inbox(viewer, **which)))]


def unread(viewer: Profile, room: Room) -> int:
    view = room_view(viewer, room.pk)
    assert view.me
    return view.me.unread


def last_text(viewer: Profile, room: Room) -> str | None:
    last = room_view(viewer, room.pk).last_message
    return last and last.text


def test_the_last_active_room_comes_first(group: Room, den: Room, pair: Room, ann: Profile) -> None:
    for room in (pair, den, group):
        say(ann, room)
    assert [m.room_id for m in inbox(ann)][:3] == [group.pk, den.pk, pair.pk]
    say(ann, pair)
    assert inbox(ann)[0].room_id == pair.pk


def test_an_inbox_is_filtered(
    group: Room, den: Room, pair: Room, ann: Profile, bob: Profile
) -> None:
    keep_room(ann, den.pk, archived=True)
    rooms = {
        "direct": inbox(ann, kind="direct"),
        "self": inbox(ann, kind="self"),
        "archived": inbox(ann, archived=True),
        "by title": inbox(ann, search="HARB"),
        "by peer": inbox(ann, search="bob"),
        "no own name": inbox(ann, search="ann"),
        "a group's people do not name it": inbox(ann, kind="group", search="bob"),
    }
    assert {name: {m.room_id for m in found} for name, found in rooms.items()} == {
        "direct": {pair.pk},
        "self": {own_log(ann).pk},
        "archived": {den.pk},
        "by title": {group.pk},
        "by peer": {pair.pk},
        "no own name": set(),
        "a group's people do not name it": set(),
    }
    assert den.pk not in {m.room_id for m in inbox(ann, archived=False)}


def test_wildcards_in_a_search_are_letters(group: Room, ann: Profile) -> None:
    for words in ("%", "_", "H%r", "\\"):
        assert not inbox(ann, search=words).exists()
        assert not directory(words).exists()


def test_a_direct_room_shows_the_other_person(pair: Room, ann: Profile, bob: Profile) -> None:
    update_profile(bob, display_name="Robert")
    (room,) = shown(ann, kind="direct")
    assert (room["peer"]["id"], room["peer"]["display_name"]) == (str(bob.pk), "Robert")
    assert [one["peer"] for one in shown(ann, kind="self")] == [None]


def test_unread_counts_what_others_said_since(
    group: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    join_room(cat, group.pk)
    assert unread(bob, group) == 0
    first, second, mine = say(ann, group), say(cat, group), say(bob, group)
    assert unread(bob, group) == 2
    edit_message(ann, first.pk, "Otherwise.")
    assert unread(bob, group) == 2
    delete_message(cat, second.pk)
    assert unread(bob, group) == 1
    mark_read(bob, group.pk, first.seq)
    assert unread(bob, group) == 0
    say(ann, group)
    assert unread(bob, group) == 1
    mark_read(bob, group.pk, mine.seq)
    assert unread(bob, group) == 1


def test_marked_unread_counts_from_the_mark(group: Room, ann: Profile, bob: Profile) -> None:
    sent = [say(ann, group) for _ in range(4)]
    mark_read(bob, group.pk, sent[-1].seq)
    mark_unread(bob, group.pk, sent[1].seq)
    assert unread(bob, group) == 3
    mark_read(bob, group.pk, sent[-1].seq)
    assert unread(bob, group) == 0


def test_a_mark_ahead_of_the_cursor_hides_nothing(group: Room, ann: Profile, bob: Profile) -> None:
    sent = [say(ann, group) for _ in range(4)]
    mark_unread(bob, group.pk, sent[3].seq)
    assert unread(bob, group) == 4


@pytest.mark.parametrize(("sent", "counted"), [(99, 99), (100, 100), (101, 100), (150, 100)])
def test_unread_is_exact_up_to_a_hundred(
    group: Room, ann: Profile, bob: Profile, sent: int, counted: int
) -> None:
    send_messages([Draft(ann, group.pk, str(number)) for number in range(sent)])
    assert unread(bob, group) == counted


def test_what_one_may_not_see_is_not_unread(
    pier: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    say(ann, pier, "Before.")
    join_room(cat, pier.pk)
    assert (unread(cat, pier), last_text(cat, pier)) == (0, None)
    assert (unread(bob, pier), last_text(bob, pier)) == (1, "Before.")
    mark_unread(cat, pier.pk, seat(cat, pier).history_from)
    say(ann, pier, "After.")
    assert (unread(cat, pier), last_text(cat, pier)) == (1, "After.")


def test_the_last_message_is_the_last_with_words(group: Room, ann: Profile) -> None:
    assert last_text(ann, group) is None
    first, second = say(ann, group, "One."), say(ann, group, "Two.")
    edit_message(ann, first.pk, "One, later.")
    assert last_text(ann, group) == "Two."
    delete_message(ann, second.pk)
    assert last_text(ann, group) == "One, later."
    delete_message(ann, first.pk)
    assert last_text(ann, group) is None


def test_the_last_message_quotes_nothing_from_before_ones_history(
    pier: Room, ann: Profile, cat: Profile
) -> None:
    early = say(ann, pier, "Before.")
    join_room(cat, pier.pk)
    say(ann, pier, "After.", reply_to=early.pk)
    (room,) = shown(cat, search="Pier")
    assert "Before." not in str(room)


def test_the_directory_lists_public_groups_only(
    group: Room, den: Room, pair: Room, ann: Profile, cat: Profile
) -> None:
    gone, _ = create_group(ann, title="Gone", visibility="public")
    delete_room(ann, gone.pk)
    assert set(directory()) == {group}
    assert set(directory("harb")) == {group}
    assert not directory("ann").exists()
    (seen,) = directory_views(cat, list(directory()))
    (mine,) = directory_views(ann, list(directory()))
    assert (seen.me, mine.me and mine.me.role) == (None, "owner")


def test_a_directory_shows_a_passer_by_no_words(group: Room, ann: Profile, cat: Profile) -> None:
    say(ann, group, "For members.")
    (view,) = directory_views(cat, list(directory()))
    assert "For members." not in str(room_shape(view))


def test_members_are_listed_the_longest_first(
    group: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    join_room(cat, group.pk)
    assert [one.user for one in members(cat, group.pk)] == [ann, bob, cat]
    assert member(cat, group.pk, ann.pk).role == "owner"


def test_an_archived_room_is_still_mine(group: Room, ann: Profile, bob: Profile) -> None:
    keep_room(bob, group.pk, archived=True)
    say(ann, group)
    (room,) = shown(bob, archived=True)
    assert (room["me"]["unread"], room["me"]["archived"]) == (1, True)


def test_where_each_of_my_rooms_stands(
    group: Room, den: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    say(ann, group)
    found = standings(bob)
    assert set(found) == {str(room.pk) for room in (group, den, own_log(bob))}
    head = Room.objects.get(pk=group.pk).head
    assert found[str(group.pk)].head == head
    assert found[str(group.pk)].read_seq == seat(bob, group).read_seq
    assert next(iter(found)) == str(group.pk)
    assert set(standings(bob, only=den.pk)) == {str(den.pk), str(own_log(bob).pk)}


def test_a_removed_peer_of_a_group_changes_no_direct_room(
    person: Callable[..., Profile], group: Room, ann: Profile, bob: Profile
) -> None:
    dan = person("dan")
    add_member(ann, group.pk, dan.pk)
    room, _ = open_direct(dan, bob.pk)
    remove_member(ann, group.pk, dan.pk)
    assert {m.room_id for m in inbox(dan)} == {room.pk, own_log(dan).pk}
