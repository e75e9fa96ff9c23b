"""Read positions: they only rise, and *mark unread* stands beside them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chat.actions.members import join_room
from chat.actions.reads import mark_read, mark_unread
from chat.errors import Forbidden, Invalid, NotFound
from chat.models import Profile, Room
from tests.conftest import Heard
from tests.scene import logged, own_log, say, seat

pytestmark = pytest.mark.django_db


def test_a_cursor_rises_to_the_place_and_is_told(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    message = say(ann, group)
    (told,) = heard.of(mark_read, bob, group.pk, message.seq)
    assert seat(bob, group).read_seq == message.seq
    shape = json.loads(told.text)
    assert (told.type, told.seq, told.room) == ("room.read", 0, str(group.pk))
    assert (shape["user"]["username"], shape["seq"]) == ("bob", message.seq)
    assert logged(group)[-1] == "message.sent"


def test_a_cursor_never_falls(group: Room, ann: Profile, bob: Profile, heard: Heard) -> None:
    message = say(ann, group)
    mark_read(bob, group.pk, message.seq)
    for place in (message.seq - 1, 0, message.seq):
        assert heard.of(mark_read, bob, group.pk, place) == []
        assert mark_read(bob, group.pk, place).read_seq == message.seq


def test_a_cursor_stops_at_the_head(group: Room, bob: Profile) -> None:
    head = Room.objects.get(pk=group.pk).head
    assert mark_read(bob, group.pk, 2**63 - 1).read_seq == head


def test_in_a_big_room_only_ones_own_devices_are_told(
    group: Room, ann: Profile, bob: Profile, heard: Heard, configured: Callable[..., None]
) -> None:
    configured(LIVE_MEMBERS=1)
    message = say(ann, group)
    (told,) = heard.of(mark_read, bob, group.pk, message.seq)
    assert told.room == str(own_log(bob).pk)
    assert json.loads(told.text)["room"] == str(group.pk)


def test_unread_stands_beside_the_cursor(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    message = say(ann, group)
    mark_read(bob, group.pk, message.seq)
    (told,) = heard.of(mark_unread, bob, group.pk, message.seq)
    assert (told.type, told.room) == ("room.unread", str(own_log(bob).pk))
    assert (seat(bob, group).read_seq, seat(bob, group).unread_from) == (message.seq, message.seq)
    assert heard.of(mark_unread, bob, group.pk, message.seq) == []


def test_reading_up_to_the_mark_ends_it(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    early, late = say(ann, group), say(ann, group)
    mark_read(bob, group.pk, late.seq)
    mark_unread(bob, group.pk, late.seq)
    mark_read(bob, group.pk, early.seq)
    assert seat(bob, group).unread_from == late.seq
    assert heard.types_of(mark_read, bob, group.pk, late.seq) == ["room.read"]
    assert seat(bob, group).unread_from is None


def test_a_mark_may_be_moved(group: Room, ann: Profile, bob: Profile) -> None:
    early, late = say(ann, group), say(ann, group)
    mark_unread(bob, group.pk, late.seq)
    mark_unread(bob, group.pk, early.seq)
    assert seat(bob, group).unread_from == early.seq


def test_there_is_nothing_to_mark_outside_ones_history(
    pier: Room, ann: Profile, cat: Profile
) -> None:
    hidden = say(ann, pier)
    begins = join_room(cat, pier.pk).history_from
    for place in (0, hidden.seq, begins - 1, begins + 1):
        with pytest.raises(Invalid):
            mark_unread(cat, pier.pk, place)
    assert mark_unread(cat, pier.pk, begins).unread_from == begins


def test_only_members_have_a_cursor(group: Room, den: Room, cat: Profile) -> None:
    for verb in (mark_read, mark_unread):
        with pytest.raises(Forbidden):
            verb(cat, group.pk, 1)
        with pytest.raises(NotFound):
            verb(cat, den.pk, 1)
