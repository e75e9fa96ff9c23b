"""Direct rooms: one for each pair, whoever begins, and refused in one wording."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from chat.actions.members import add_member, join_room, leave_room, remove_member
from chat.actions.people import update_profile
from chat.actions.rooms import open_direct
from chat.errors import Forbidden, NotFound
from chat.models import Profile, Room
from tests.conftest import Heard
from tests.scene import logged, own_log, say, seat

pytestmark = pytest.mark.django_db


def test_a_pair_has_one_room_whoever_begins(ann: Profile, bob: Profile, heard: Heard) -> None:
    room, new = open_direct(ann, bob.pk)
    assert new
    assert open_direct(bob, ann.pk) == (room, False)
    assert heard.of(open_direct, ann, bob.pk) == []
    assert room.members_count == 2


def test_both_are_told_and_the_peer_is_the_other(ann: Profile, bob: Profile, heard: Heard) -> None:
    told = heard.of(open_direct, ann, bob.pk)
    joined = {item.room: item.text for item in told if item.type == "room.joined"}
    assert f'"peer":{{"id":"{bob.pk}"' in joined[str(own_log(ann).pk)]
    assert f'"peer":{{"id":"{ann.pk}"' in joined[str(own_log(bob).pk)]


def test_other_pairs_have_other_rooms(ann: Profile, bob: Profile, cat: Profile) -> None:
    rooms = {open_direct(ann, bob.pk)[0], open_direct(ann, cat.pk)[0], open_direct(bob, cat.pk)[0]}
    assert len(rooms) == 3


def test_with_oneself_it_is_ones_own_log(ann: Profile) -> None:
    room, new = open_direct(ann, ann.pk)
    assert (room, new) == (own_log(ann), False)
    say(ann, room, "Buy rope.")
    assert logged(room)[-1] == "message.sent"


def test_nobody_else_writes_to_a_persons_log(ann: Profile, bob: Profile) -> None:
    with pytest.raises(NotFound):
        say(bob, own_log(ann))
    with pytest.raises(NotFound):
        join_room(bob, own_log(ann).pk)


def test_someone_who_is_not_there_cannot_be_messaged(ann: Profile) -> None:
    with pytest.raises(NotFound):
        open_direct(ann, uuid4())


def test_refusals_all_say_the_same(ann: Profile, bob: Profile, cat: Profile) -> None:
    update_profile(bob, direct_from="nobody")
    update_profile(cat, direct_from="rooms")
    said = set()
    for other in (bob, cat):
        with pytest.raises(Forbidden) as refusal:
            open_direct(ann, other.pk)
        said.add(str(refusal.value.as_dict()))
    assert len(said) == 1
    assert not Room.objects.filter(kind="direct").exists()


def test_people_of_the_same_group_may_be_enough(
    ann: Profile, bob: Profile, cat: Profile, group: Room
) -> None:
    update_profile(ann, direct_from="rooms")
    with pytest.raises(Forbidden):
        open_direct(cat, ann.pk)
    join_room(cat, group.pk)
    assert open_direct(cat, ann.pk)[1]


def test_a_room_that_is_open_stays_open(ann: Profile, bob: Profile, pair: Room) -> None:
    update_profile(bob, direct_from="nobody")
    assert open_direct(ann, bob.pk) == (pair, False)
    assert say(ann, pair).seq


@pytest.mark.parametrize(
    "verb",
    [
        lambda ann, bob, cat, room: leave_room(ann, room.pk),
        lambda ann, bob, cat, room: remove_member(ann, room.pk, bob.pk),
        lambda ann, bob, cat, room: add_member(ann, room.pk, cat.pk),
    ],
    ids=["leave", "remove", "add"],
)
def test_a_pair_stays_a_pair(
    ann: Profile, bob: Profile, cat: Profile, pair: Room, verb: Callable[..., object]
) -> None:
    before = logged(pair)
    with pytest.raises(Forbidden):
        verb(ann, bob, cat, pair)
    assert logged(pair) == before
    assert {seat(ann, pair).role, seat(bob, pair).role} == {"member"}


def test_a_stranger_may_not_know_of_it(cat: Profile, pair: Room) -> None:
    with pytest.raises(NotFound):
        say(cat, pair)
    with pytest.raises(NotFound):
        join_room(cat, pair.pk)
