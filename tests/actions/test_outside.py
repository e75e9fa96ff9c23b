"""What those are told who are not in a room: strangers to join, the banned that they are, of a private one nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chat.actions.bans import ban_member
from chat.actions.members import leave_room
from chat.actions.messages import edit_message
from chat.actions.reads import mark_read
from chat.actions.rooms import keep_room
from chat.errors import Forbidden, NotFound
from chat.events import database
from chat.models import Profile, Room
from chat.queries.access import membership_of
from chat.queries.messages import history
from chat.queries.rooms import members
from tests.scene import say

pytestmark = pytest.mark.django_db


def test_the_banned_are_told_why_wherever_strangers_are_told_to_join(
    group: Room, den: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    said = say(ann, group)
    say(ann, den)
    for room in (group, den):
        ban_member(ann, room.pk, bob.pk)
    doors: list[Callable[[Profile, Room], object]] = [
        say,
        lambda who, room: mark_read(who, room.pk, seq=1),
        lambda who, room: leave_room(who, room.pk),
        lambda who, room: keep_room(who, room.pk, pinned=True),
        lambda who, room: membership_of(who, room.pk),
        lambda who, room: history(who, room.pk, limit=5),
        lambda who, room: members(who, room.pk),
    ]
    for door in doors:
        with pytest.raises(Forbidden, match="You are banned from this room"):
            door(bob, group)
        with pytest.raises(Forbidden, match="Join this room first"):
            door(cat, group)
        for one in (bob, cat):
            with pytest.raises(NotFound):
                door(one, den)
    with pytest.raises(Forbidden, match="You are banned"):
        edit_message(bob, said.pk, "?")


def test_only_a_refusal_asks_for_a_ban(
    group: Room, bob: Profile, cat: Profile, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1, using=database()):
        membership_of(bob, group.pk)
    with django_assert_num_queries(3, using=database()), pytest.raises(Forbidden):
        membership_of(cat, group.pk)
