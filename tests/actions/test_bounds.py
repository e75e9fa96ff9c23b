"""What holds a person back in a room outlasts their going and coming back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chat.actions.members import join_room, leave_room, mute_member, remove_member
from chat.actions.rooms import update_room
from chat.errors import Forbidden, RateLimited
from chat.models import Profile, Room
from tests.scene import say, seat

pytestmark = pytest.mark.django_db


def test_a_silence_outlasts_leaving(group: Room, ann: Profile, bob: Profile) -> None:
    until = timezone.now() + timedelta(hours=1)
    mute_member(ann, group.pk, bob.pk, until)
    leave_room(bob, group.pk)
    join_room(bob, group.pk)
    assert seat(bob, group).muted_until == until
    with pytest.raises(Forbidden):
        say(bob, group)


def test_a_silence_that_was_ended_stays_ended(group: Room, ann: Profile, bob: Profile) -> None:
    mute_member(ann, group.pk, bob.pk, timezone.now() + timedelta(hours=1))
    remove_member(ann, group.pk, bob.pk)
    join_room(bob, group.pk)
    mute_member(ann, group.pk, bob.pk, None)
    leave_room(bob, group.pk)
    join_room(bob, group.pk)
    say(bob, group)


def test_the_pace_of_a_slow_room_outlasts_leaving(group: Room, ann: Profile, bob: Profile) -> None:
    update_room(ann, group.pk, slow_mode=3600)
    say(bob, group)
    leave_room(bob, group.pk)
    join_room(bob, group.pk)
    with pytest.raises(RateLimited):
        say(bob, group)
